using System.Text;
using System.Text.Json;
using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using MoeOffload.Native;
using MoeOffload.Native.Generated;
using NUnit.Framework;

namespace MoeOffload.Tests.Chat;

/// <summary>The grammar that holds once a model begins to call a tool, against llama.cpp's own.</summary>
[TestFixture]
public sealed unsafe class LazyGrammarTests
{
    private MoeModel _model = null!;

    private NativeVocabulary Vocabulary => _model.Native.Vocabulary;

    [OneTimeSetUp]
    public void Load() => _model = MoeModel.Load(RealTemplates.Write(RealTemplates.Read(RealTemplates.Qwen3)));

    [OneTimeTearDown]
    public void Unload() => _model.Dispose();

    [TestCase("Let me see. <tool_ca", "ll>", "\n{\"na", "me\": \"get_")]
    [TestCase("<tool_call>", "\n", "{\"name\"")]
    [TestCase("x<tool_call>\n{\"name\"", ": \"get_weather\", \"arguments\": {\"city")]
    public void Candidates_are_those_of_llamas_own(params string[] parts)
    {
        using SamplerHandle ours = NativeChat.MakeSampler(Vocabulary, Render(RealTemplates.Qwen3).Format.Rendered!)!;
        using SamplerHandle theirs = MakeTheirs(Render(RealTemplates.Qwen3));
        List<int> counts = [];
        foreach (string part in parts)
        {
            Accept(ours, part);
            Accept(theirs, part);

            int[] allowed = Allowed(ours);
            allowed.Should().Equal(Allowed(theirs), "after {0}", part);
            counts.Add(allowed.Length);
        }

        counts.Should().Contain(count => count < _model.Vocabulary.Size / 2, "a comparison of no grammar compares nothing");
    }

    [Test]
    public void What_is_thought_triggers_nothing()
    {
        using SamplerHandle sampler = NativeChat.MakeSampler(Vocabulary, Render(RealTemplates.Qwen3).Format.Rendered!)!;

        Accept(sampler, "<think>");
        Accept(sampler, "I could <tool_call>\n{");
        Allowed(sampler).Should().HaveCount(_model.Vocabulary.Size);

        Accept(sampler, "</think>");
        Allowed(sampler).Should().HaveCount(_model.Vocabulary.Size);

        Accept(sampler, "\n\n<tool_call>\n{");
        Allowed(sampler).Length.Should().BeLessThan(_model.Vocabulary.Size / 2);
    }

    [Test]
    public void Copy_goes_on_from_where_it_was_made()
    {
        using SamplerHandle sampler = NativeChat.MakeSampler(Vocabulary, Render(RealTemplates.Qwen3).Format.Rendered!)!;
        Accept(sampler, "<tool_call>\n{\"na");

        using var copy = new SamplerHandle(LlamaApi.llama_sampler_clone(sampler.Pointer));
        Accept(sampler, "me\"");

        Allowed(copy).Should().NotEqual(Allowed(sampler));
        Accept(copy, "me\"");
        Allowed(copy).Should().Equal(Allowed(sampler));
        LlamaApi.llama_sampler_reset(copy.Pointer);
        Allowed(copy).Should().HaveCount(_model.Vocabulary.Size);
    }

    // llama.cpp searches all that was generated, by an engine that recurses for each blank, after each token.
    [Test]
    public void Endless_blanks_cost_neither_stack_nor_time()
    {
        using SamplerHandle sampler = NativeChat.MakeSampler(Vocabulary, Render(RealTemplates.GptOss).Format.Rendered!)!;
        // The time that this process computes does not depend on what else the machine does.
        TimeSpan start = Environment.CpuUsage.TotalTime;

        Accept(sampler, string.Concat(Enumerable.Repeat(" \n", 10_000)));

        (Environment.CpuUsage.TotalTime - start).Should().BeLessThan(TimeSpan.FromSeconds(30));
        Allowed(sampler).Should().HaveCount(_model.Vocabulary.Size);
        Accept(sampler, "<|start|>assistant<|channel|>commentary to=functions.get_");
        Allowed(sampler).Length.Should().BeLessThan(_model.Vocabulary.Size / 2);
    }

    [Test]
    public void Pattern_for_the_beginning_is_found_there_only()
    {
        byte[] json = Render(RealTemplates.GptOss).Format.Rendered!;
        using SamplerHandle atStart = NativeChat.MakeSampler(Vocabulary, json)!;
        using SamplerHandle later = NativeChat.MakeSampler(Vocabulary, json)!;

        Accept(atStart, " to");
        Accept(later, new string('x', 3000) + " to");

        Allowed(atStart).Length.Should().BeLessThan(_model.Vocabulary.Size / 2);
        Allowed(later).Should().HaveCount(_model.Vocabulary.Size);
    }

    private RenderedChat Render(string template)
    {
        RenderedChat chat = _model.ParseChatTemplate(RealTemplates.Read(template)).Render(Chats.All["question"], new ChatOptions { Tools = [Chats.Weather] });
        chat.IsGrammarLazy.Should().BeTrue();
        return chat;
    }

    // The trigger is a word without characters that are special in a pattern.
    private SamplerHandle MakeTheirs(RenderedChat chat)
    {
        string trigger = JsonDocument.Parse(chat.Format.Rendered!).RootElement.GetProperty("grammar_triggers")[0].GetProperty("value").GetString()!;
        fixed (byte* text = Utf8.ToTerminated(chat.Grammar!, "grammar"))
        fixed (byte* root = "root\0"u8)
        fixed (byte* pattern = Utf8.ToTerminated(trigger, "trigger"))
        {
            byte** patterns = stackalloc byte*[] { pattern };
            return new SamplerHandle(LlamaApi.llama_sampler_init_grammar_lazy_patterns(Vocabulary.Pointer, text, root, patterns, 1, null, 0));
        }
    }

    private void Accept(SamplerHandle sampler, string text)
    {
        foreach (int token in Vocabulary.Tokenize(Encoding.UTF8.GetBytes(text), addSpecial: false, parseSpecial: true))
        {
            LlamaApi.llama_sampler_accept(sampler.Pointer, token);
        }
    }

    private int[] Allowed(SamplerHandle sampler)
    {
        llama_token_data[] candidates = [.. Enumerable.Range(0, _model.Vocabulary.Size).Select(id => new llama_token_data { id = id, logit = 1 })];
        fixed (llama_token_data* data = candidates)
        {
            var array = new llama_token_data_array { data = data, size = (nuint)candidates.Length, selected = -1 };
            LlamaApi.llama_sampler_apply(sampler.Pointer, &array);
        }

        return [.. candidates.Where(candidate => !float.IsNegativeInfinity(candidate.logit)).Select(candidate => candidate.id)];
    }
}
