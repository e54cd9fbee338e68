using System.Collections;
using System.Reflection;
using System.Text;
using FluentAssertions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Chat;
using MoeOffload.Embeddings;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using MoeOffload.Schemas;
using NUnit.Framework;

namespace MoeOffload.Tests.Models;

/// <summary>A call that blocks has a twin that does not: it takes the same, can be cancelled, and leaves the work to another thread.</summary>
[TestFixture]
public sealed class AsyncTwinTests
{
    // Far less than any pass over the inputs allocates.
    private const long MostBytes = 16 << 10;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly string s_text = new StringBuilder().Insert(0, "To be, or not to be. ", 10_000).ToString();
    private static readonly byte[] s_utf8 = Encoding.UTF8.GetBytes(s_text);
    private static readonly SamplingOptions s_grammar = new() { Grammar = $"root ::= \"{s_text}\"" };
    private static readonly string s_schema = $$"""{"enum":[{{string.Join(',', Enumerable.Range(0, 2_000).Select(i => $"\"{i}\""))}}]}""";
    private static readonly int[] s_tokens = [.. Enumerable.Range(0, 100_000).Select(i => i % 200)];

    private MoeModel _model = null!;
    private RenderedChat _chat = null!;
    private string _file = null!;
    private byte[] _bytes = null!;
    private GgufModelFiles _files = null!;

    public static IEnumerable<TestCaseData> Blocking()
    {
        return new (Type Type, string Name)[]
        {
            (typeof(Vocabulary), nameof(Vocabulary.Tokenize)),
            (typeof(Vocabulary), nameof(Vocabulary.Detokenize)),
            (typeof(Vocabulary), nameof(Vocabulary.DetokenizeToUtf8)),
            (typeof(ChatTemplate), nameof(ChatTemplate.Render)),
            (typeof(RenderedChat), nameof(RenderedChat.ParseAnswer)),
            (typeof(MoeModel), nameof(MoeModel.Load)),
            (typeof(MoeModel), nameof(MoeModel.LoadAdapter)),
            (typeof(MoeModel), nameof(MoeModel.CreateSession)),
            (typeof(MoeModel), nameof(MoeModel.CreateEmbedder)),
            (typeof(MoeModel), nameof(MoeModel.EstimateMemory)),
            (typeof(MoeModel), nameof(MoeModel.ListDevices)),
            (typeof(MoeModel), nameof(MoeModel.DescribeRuntime)),
            (typeof(MoeModel), nameof(MoeModel.ParseChatTemplate)),
            (typeof(GgufFile), nameof(GgufFile.Open)),
            (typeof(GgufFile), nameof(GgufFile.Read)),
            (typeof(GgufModelFiles), nameof(GgufModelFiles.Open)),
            (typeof(GgufModelCheck), nameof(GgufModelCheck.Validate)),
            (typeof(SamplingOptions), nameof(SamplingOptions.Validate)),
            (typeof(JsonSchema), nameof(JsonSchema.Parse)),
            (typeof(GgufWriter), nameof(GgufWriter.Write)),
            (typeof(GgufWriter), nameof(GgufWriter.WriteSplit)),
        }.Select(it => new TestCaseData(it.Type, it.Name));
    }

    public static IEnumerable<string> Large => ["Tokenize", "Tokenize UTF-8", "Detokenize", "DetokenizeToUtf8", "ParseAnswer", "ParseChatTemplate", "GgufFile.Open", "GgufFile.Read", "GgufModelFiles.Open", "SamplingOptions.Validate", "JsonSchema.Parse"];

    public static IEnumerable<string> Observed => ["Render", "GgufModelCheck.Validate", "CreateEmbedder", "EstimateMemory", "ListDevices", "DescribeRuntime", "Write", "Write stream", "WriteSplit"];

    [OneTimeSetUp]
    public void Load()
    {
        _model = MoeModel.Load(RealTemplates.Write(RealTemplates.Read(RealTemplates.Qwen3)));
        _chat = _model.ChatTemplate.Render([ChatMessage.User("Hi")]);
        _file = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"{Guid.NewGuid():N}.gguf");
        var writer = new GgufWriter();
        writer.SetArray<int>("some.numbers", new int[1 << 18]);
        writer.Write(_file);
        _bytes = File.ReadAllBytes(_file);
        _files = GgufModelFiles.Open(_model.Path);
    }

    [OneTimeTearDown]
    public void Unload()
    {
        _model.Dispose();
        File.Delete(_file);
    }

    [TestCaseSource(nameof(Blocking))]
    public void Blocking_method_has_a_twin_with_the_same_parameters_and_a_token(Type type, string name)
    {
        const BindingFlags Any = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static;
        MethodInfo[] methods = [.. type.GetMethods(Any).Where(method => method.Name == name)];
        MethodInfo[] twins = [.. type.GetMethods(Any).Where(method => method.Name == $"{name}Async")];

        methods.Should().NotBeEmpty();
        foreach (MethodInfo method in methods)
        {
            Type result = method.ReturnType == typeof(void) ? typeof(Task) : typeof(Task<>).MakeGenericType(method.ReturnType);
            IEnumerable<(string?, Type)> parameters = [.. method.GetParameters().Where(it => it.ParameterType != typeof(CancellationToken)).Select(it => (it.Name, Storable(it.ParameterType))), ("cancellationToken", typeof(CancellationToken))];
            twins.Should().Contain(
                twin => twin.ReturnType == result && twin.GetParameters().Select(it => new ValueTuple<string?, Type>(it.Name, it.ParameterType)).SequenceEqual(parameters),
                "{0} blocks", method);
        }

        twins.Should().OnlyContain(twin => twin.GetParameters().Last().HasDefaultValue);
    }

    [TestCaseSource(nameof(Large))]
    public void Large_input_costs_the_caller_nothing(string name)
    {
        (Action block, Func<CancellationToken, Task> call) = MakeLarge(name);
        Exception? failure = null;
        var caller = new Thread(() =>
        {
            try
            {
                // The first calls compile the methods.
                block();
                call(CancellationToken.None).Wait(s_patience).Should().BeTrue();
                long before = GC.GetAllocatedBytesForCurrentThread();
                block();
                (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeGreaterThan(4 * MostBytes, "work that is done here shows");
                before = GC.GetAllocatedBytesForCurrentThread();
                Task task = call(CancellationToken.None);
                (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(MostBytes);
                task.Wait(s_patience).Should().BeTrue();
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        caller.Start();
        caller.Join();
        failure.Should().BeNull();
    }

    [TestCaseSource(nameof(Observed))]
    public void Work_is_done_on_another_thread(string name)
    {
        int worker = 0;
        Func<CancellationToken, Task> call = MakeObserved(name, () => worker = Environment.CurrentManagedThreadId);

        call(CancellationToken.None).Wait(s_patience).Should().BeTrue();

        worker.Should().NotBe(0, "the work was seen").And.NotBe(Environment.CurrentManagedThreadId);
    }

    [Test]
    public void Chat_template_of_a_model_is_parsed_on_another_thread()
    {
        // The first call compiles the methods.
        _model.GetChatTemplateAsync().Wait(s_patience).Should().BeTrue();
        string text = "{# " + s_text[..100_000] + " #}{{ messages[0].content }}";
        using MoeModel model = MoeModel.Load(RealTemplates.Write(text));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Task<ChatTemplate> task = model.GetChatTemplateAsync();
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(MostBytes);

        task.Wait(s_patience).Should().BeTrue();

        model.ChatTemplate.Should().BeSameAs(task.Result);
    }

    [Test]
    public async Task Call_that_is_cancelled_before_it_begins_does_nothing([ValueSource(nameof(Large)), ValueSource(nameof(Observed))] string name)
    {
        using var cancellation = new CancellationTokenSource();
        cancellation.Cancel();
        bool isSeen = false;
        Func<CancellationToken, Task> call = Large.Contains(name) ? MakeLarge(name).Call : MakeObserved(name, () => isSeen = true);

        (await FluentActions.Awaiting(() => call(cancellation.Token)).Should().ThrowAsync<OperationCanceledException>())
            .Which.CancellationToken.Should().Be(cancellation.Token);
        isSeen.Should().BeFalse();
    }

    [TestCase("Render")]
    [TestCase("CreateEmbedder")]
    public async Task Wait_for_a_call_ends_when_it_is_cancelled_although_the_call_goes_on(string name)
    {
        using var cancellation = new CancellationTokenSource();
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gate = new TaskCompletionSource();
        Task task = MakeObserved(name, Stop)(cancellation.Token);
        await reached.Task.WaitAsync(s_patience);
        cancellation.Cancel();

        await FluentActions.Awaiting(() => task.WaitAsync(s_patience)).Should().ThrowAsync<OperationCanceledException>();

        gate.SetResult();

        void Stop()
        {
            reached.TrySetResult();
            gate.Task.Wait(s_patience);
        }
    }

    [Test]
    public async Task Writing_that_is_cancelled_ends_before_its_task_and_leaves_the_old_file()
    {
        string directory = Directory.CreateTempSubdirectory().FullName;
        string path = Path.Combine(directory, "model.gguf");
        await File.WriteAllTextAsync(path, "old");
        using var cancellation = new CancellationTokenSource();
        var writer = new GgufWriter();
        int written = 0;
        writer.AddTensor("t", GgmlType.F32, [1 << 10, 1 << 10], (_, _) =>
        {
            written++;
            cancellation.Cancel();
        });

        await writer.Awaiting(it => it.WriteAsync(path, cancellation.Token)).Should().ThrowAsync<OperationCanceledException>();

        written.Should().Be(1, "the tensor has several parts");
        (await File.ReadAllTextAsync(path)).Should().Be("old");
        Directory.GetFiles(directory).Should().Equal(path);
        Directory.Delete(directory, recursive: true);
    }

    private static Type Storable(Type type)
    {
        if (!type.IsGenericType || type.GetGenericTypeDefinition() != typeof(ReadOnlySpan<>))
        {
            return type;
        }

        return typeof(ReadOnlyMemory<>).MakeGenericType(type.GetGenericArguments());
    }

    private (Action Block, Func<CancellationToken, Task> Call) MakeLarge(string name)
    {
        Vocabulary vocabulary = _model.Vocabulary;
        string template = "{# " + s_text[..100_000] + " #}{{ messages[0].content }}";
        return name switch
        {
            "Tokenize" => (() => vocabulary.Tokenize(s_text), token => vocabulary.TokenizeAsync(s_text, cancellationToken: token)),
            "Tokenize UTF-8" => (() => vocabulary.Tokenize(s_utf8), token => vocabulary.TokenizeAsync(s_utf8, cancellationToken: token)),
            "Detokenize" => (() => vocabulary.Detokenize(s_tokens), token => vocabulary.DetokenizeAsync(s_tokens, cancellationToken: token)),
            "DetokenizeToUtf8" => (() => vocabulary.DetokenizeToUtf8(s_tokens), token => vocabulary.DetokenizeToUtf8Async(s_tokens, cancellationToken: token)),
            "ParseAnswer" => (() => _chat.ParseAnswer(s_text), token => _chat.ParseAnswerAsync(s_text, token)),
            "ParseChatTemplate" => (() => _model.ParseChatTemplate(template), token => _model.ParseChatTemplateAsync(template, token)),
            "GgufFile.Open" => (() => GgufFile.Open(_file), token => GgufFile.OpenAsync(_file, token)),
            "GgufFile.Read" => (() => GgufFile.Read(new MemoryStream(_bytes)), token => GgufFile.ReadAsync(new MemoryStream(_bytes), token)),
            "JsonSchema.Parse" => (() => JsonSchema.Parse(s_schema), token => JsonSchema.ParseAsync(s_schema, token)),
            "SamplingOptions.Validate" => (() => s_grammar.Validate(), token => s_grammar.ValidateAsync(token)),
            _ => (() => GgufModelFiles.Open(_file), token => GgufModelFiles.OpenAsync(_file, token)),
        };
    }

    private Func<CancellationToken, Task> MakeObserved(string name, Action seen)
    {
        var options = new ModelOptions { LoggerFactory = new ObservedLoggers(seen) };
        var writer = new GgufWriter();
        writer.AddTensor("t", GgmlType.F32, [16], (_, data) =>
        {
            seen();
            data.Clear();
        });
        string path = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"{Guid.NewGuid():N}.gguf");
        return name switch
        {
            "Render" => token => _model.ChatTemplate.RenderAsync(new ObservedList<ChatMessage>([ChatMessage.User("Hi")], seen), cancellationToken: token),
            "GgufModelCheck.Validate" => token => GgufModelCheck.ValidateAsync(_files, new ObservedOverrides(seen), token),
            "CreateEmbedder" => async token =>
            {
                EmbeddingOptions embedding = new() { ContextLength = 64, Adapters = new ObservedList<ScaledAdapter>([], seen) };
                using Embedder embedder = await _model.CreateEmbedderAsync(embedding, token);
            }
            ,
            "EstimateMemory" => token => MoeModel.EstimateMemoryAsync(SmallModel.File.Path, options, SmallModel.Context(), token),
            "ListDevices" => token => MoeModel.ListDevicesAsync(options, token),
            "DescribeRuntime" => token => MoeModel.DescribeRuntimeAsync(options, token),
            "Write" => async token =>
            {
                await writer.WriteAsync(path, token);
                File.Delete(path);
            }
            ,
            "Write stream" => token => writer.WriteAsync(Stream.Null, token),
            _ => async token =>
            {
                foreach (string part in await writer.WriteSplitAsync(path, 1, token))
                {
                    File.Delete(part);
                }
            }
            ,
        };
    }

    private sealed class ObservedList<T>(T[] items, Action seen) : IReadOnlyList<T>
    {
        public int Count
        {
            get
            {
                seen();
                return items.Length;
            }
        }

        public T this[int index] => items[index];

        public IEnumerator<T> GetEnumerator()
        {
            seen();
            return ((IEnumerable<T>)items).GetEnumerator();
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    private sealed class ObservedOverrides(Action seen) : IReadOnlyDictionary<string, MetadataValue>
    {
        public int Count => 0;

        public IEnumerable<string> Keys => [];

        public IEnumerable<MetadataValue> Values => [];

        public MetadataValue this[string key] => throw new KeyNotFoundException(key);

        public bool ContainsKey(string key) => TryGetValue(key, out _);

        public bool TryGetValue(string key, out MetadataValue value)
        {
            seen();
            value = default;
            return false;
        }

        public IEnumerator<KeyValuePair<string, MetadataValue>> GetEnumerator()
        {
            seen();
            yield break;
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    private sealed class ObservedLoggers(Action seen) : ILoggerFactory
    {
        public void AddProvider(ILoggerProvider provider)
        {
        }

        public ILogger CreateLogger(string categoryName)
        {
            seen();
            return NullLogger.Instance;
        }

        public void Dispose()
        {
        }
    }
}
