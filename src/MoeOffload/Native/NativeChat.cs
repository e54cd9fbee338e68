using System.Text;
using Microsoft.Extensions.Logging;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Calls llama.cpp's chat templates and parsers. Data is passed as UTF-8, mostly as JSON.</summary>
internal static unsafe class NativeChat
{
    // The converter's recursion and its regular expressions take at most this many bytes of stack for each byte of JSON.
    private const int StackPerByte = 1024;

    // Enough to parse and render a template of the largest size that ChatTemplateGuard allows.
    private const int TemplateStack = 64 << 20;

    // The parser of answers recurses for each nested bracket.
    private const int StackPerNesting = 16 << 10;
    private const int ShallowNesting = 32;
    private const int MaxNesting = 10_000;

    /// <summary>Parses a template.</summary>
    /// <param name="model">The model, whose template is used if <paramref name="source"/> is <see langword="null"/>.</param>
    /// <param name="source">The template, or <see langword="null"/>.</param>
    /// <param name="logger">The logger for llama.cpp's messages.</param>
    /// <exception cref="ChatTemplateException">The template could not be parsed.</exception>
    /// <exception cref="NotSupportedException">The model has no template.</exception>
    public static ChatTemplateHandle Parse(ModelHandle model, string? source, ILogger logger)
    {
        byte[]? text = source is null ? null : Utf8.ToTerminated(source, "The chat template");
        nint result = 0;
        LargeStack.Run(TemplateStack, () => result = ParseHere(model, text, logger));
        return new ChatTemplateHandle((moe_chat*)result);
    }

    /// <summary>Gets the description of a template and its capabilities, as JSON.</summary>
    public static byte[] Describe(ChatTemplateHandle template)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        moe_text* text;
        using HandleUse use = new(template);
        moe_status status = ShimApi.moe_chat_describe(template.Pointer, &text, error, NativeError.BufferSize);
        return status == moe_status.MOE_STATUS_OK
            ? Take(text)
            : throw new ChatTemplateException(NativeError.Describe("The chat template could not be examined", status, error));
    }

    /// <summary>Renders a conversation. The request and the result are JSON as described in <c>moe_shim.h</c>.</summary>
    /// <exception cref="ChatTemplateException">The template could not be rendered.</exception>
    public static byte[] Render(ChatTemplateHandle template, byte[] request, ILogger logger)
    {
        byte[] rendered = [];
        int stack = (int)Math.Min(TemplateStack + ((long)request.Length * StackPerByte / 4), 1 << 29);
        LargeStack.Run(stack, () => rendered = RenderHere(template, request, logger));
        return rendered;
    }

    /// <summary>Creates the sampler that a rendered prompt requires.</summary>
    /// <returns>The sampler, or <see langword="null"/> if none is required.</returns>
    /// <exception cref="ArgumentException">The prompt's grammar is not valid.</exception>
    public static SamplerHandle? MakeSampler(NativeVocabulary vocabulary, byte[] rendered)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        llama_sampler* sampler;
        using HandleUse use = new(vocabulary.Model);
        fixed (byte* json = Terminated(rendered))
        {
            moe_status status = ShimApi.moe_chat_sampler(vocabulary.Pointer, json, &sampler, error, NativeError.BufferSize);
            if (status != moe_status.MOE_STATUS_OK)
            {
                throw new ArgumentException(NativeError.Describe("The grammar of the chat cannot be used", status, error), nameof(rendered));
            }
        }

        return sampler == null ? null : new SamplerHandle(sampler);
    }

    /// <summary>Creates the parser for the answers to a rendered prompt.</summary>
    public static ChatParserHandle MakeParser(byte[] rendered)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        moe_chat_parser* parser;
        fixed (byte* json = Terminated(rendered))
        {
            moe_status status = ShimApi.moe_chat_parser_init(json, &parser, error, NativeError.BufferSize);
            return status == moe_status.MOE_STATUS_OK
                ? new ChatParserHandle(parser)
                : throw new ChatTemplateException(NativeError.Describe("The parser of the chat's answers could not be created", status, error));
        }
    }

    /// <summary>Tries to parse an answer, or the beginning of one.</summary>
    /// <param name="parser">The parser.</param>
    /// <param name="answer">The answer so far, which consists of whole code points.</param>
    /// <param name="nesting">The maximum nesting depth of brackets in the answer.</param>
    /// <param name="isPartial"><see langword="true"/> if more text can follow.</param>
    /// <param name="message">The message as JSON, as described in <c>moe_shim.h</c>, or the reason if the method returns <see langword="false"/>.</param>
    /// <returns><see langword="true"/> if the answer has the template's format; otherwise, <see langword="false"/>.</returns>
    public static bool TryParseAnswer(ChatParserHandle parser, ReadOnlyMemory<byte> answer, int nesting, bool isPartial, out byte[] message)
    {
        if (nesting <= ShallowNesting)
        {
            return TryReadHere(parser, answer.Span, isPartial, out message);
        }

        if (nesting > MaxNesting)
        {
            message = Encoding.UTF8.GetBytes($"It has more than {MaxNesting} nested brackets");
            return false;
        }

        bool isRead = false;
        byte[] read = [];
        LargeStack.Run(nesting * StackPerNesting, () => isRead = TryReadHere(parser, answer.Span, isPartial, out read));
        message = read;
        return isRead;
    }

    private static nint ParseHere(ModelHandle model, byte[]? source, ILogger logger)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using NativeLog.Scope log = NativeLog.Enter(logger);
        moe_chat* chat;
        using HandleUse use = new(model);
        fixed (byte* text = source)
        {
            moe_status status = ShimApi.moe_chat_init(model.Pointer, text, &chat, error, NativeError.BufferSize);
            return status switch
            {
                moe_status.MOE_STATUS_OK => (nint)chat,
                moe_status.MOE_STATUS_INVALID_ARGUMENT => throw new NotSupportedException(
                    "The model has no chat template. Create one with MoeModel.ParseChatTemplate, and set it as ChatOptions.Template."),
                _ => throw new ChatTemplateException(NativeError.Describe("The chat template cannot be parsed", status, error)),
            };
        }
    }

    private static byte[] RenderHere(ChatTemplateHandle template, byte[] request, ILogger logger)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using NativeLog.Scope log = NativeLog.Enter(logger);
        using HandleUse use = new(template);
        moe_text* text;
        fixed (byte* json = Terminated(request))
        {
            moe_status status = ShimApi.moe_chat_render(template.Pointer, json, &text, error, NativeError.BufferSize);
            return status == moe_status.MOE_STATUS_OK
                ? Take(text)
                : throw new ChatTemplateException(NativeError.Describe("The chat template failed", status, error));
        }
    }

    private static bool TryReadHere(ChatParserHandle parser, ReadOnlySpan<byte> answer, bool isPartial, out byte[] message)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        byte empty = 0;
        moe_text* text;
        moe_status status;
        using HandleUse use = new(parser);
        fixed (byte* start = answer)
        {
            status = ShimApi.moe_chat_parse(
                parser.Pointer, start == null ? &empty : start, (nuint)answer.Length, (byte)(isPartial ? 1 : 0), &text, error, NativeError.BufferSize);
        }

        message = status == moe_status.MOE_STATUS_OK ? Take(text) : Encoding.UTF8.GetBytes(NativeError.Reason(status, error));
        return status == moe_status.MOE_STATUS_OK;
    }

    private static byte[] Take(moe_text* text)
    {
        byte* data;
        nuint size;
        ShimApi.moe_text_get(text, &data, &size, null, 0);
        byte[] bytes = new ReadOnlySpan<byte>(data, checked((int)size)).ToArray();
        ShimApi.moe_text_free(text, null, 0);
        return bytes;
    }

    private static byte[] Terminated(byte[] json) => [.. json, 0];
}
