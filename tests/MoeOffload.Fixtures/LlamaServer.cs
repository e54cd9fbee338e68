using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Fixtures;

/// <summary>llama.cpp's own server on loopback: its answers on tokens and text, over HTTP.</summary>
public sealed class LlamaServer : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly HttpClient _http;

    private LlamaServer(Process process, int port)
    {
        _process = process;
        _http = new HttpClient { BaseAddress = Address = new Uri($"http://127.0.0.1:{port}"), Timeout = s_limit };
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>Starts a server with a model and waits until it answers.</summary>
    /// <param name="model">The model's file.</param>
    /// <param name="arguments">Further arguments, which override the default ones.</param>
    public static LlamaServer Start(string model, params IEnumerable<string> arguments)
    {
        int port = Loopback.FreePort();
        var start = new ProcessStartInfo(
            NativeBuild.Tool("llama-server"),
            [
                "-m", model, "--host", "127.0.0.1", "--port", $"{port}", "-c", "64", "-np", "1", "-t", "1", "-fit", "off",
                "--no-warmup", "--no-ui", "--offline", .. arguments,
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var server = new LlamaServer(Process.Start(start)!, port);
        server._process.BeginOutputReadLine();
        server._process.BeginErrorReadLine();
        try
        {
            server.WaitUntilReady();
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    /// <summary>Tokenizes a text with <c>/tokenize</c>.</summary>
    /// <returns>Each token with its bytes.</returns>
    public (int Id, byte[] Piece)[] Tokenize(string text, bool addSpecial, bool parseSpecial)
    {
        var request = new JsonObject
        {
            ["content"] = text,
            ["add_special"] = addSpecial,
            ["parse_special"] = parseSpecial,
            ["with_pieces"] = true,
        };
        return [.. Post("tokenize", request)["tokens"]!.AsArray().Select(token => ((int)token!["id"]!, Bytes(token["piece"]!)))];
    }

    /// <summary>Detokenizes tokens with <c>/detokenize</c>. Invalid UTF-8 is returned as U+FFFD.</summary>
    public string Detokenize(params IEnumerable<int> tokens) =>
        (string)Post("detokenize", new JsonObject { ["tokens"] = new JsonArray([.. tokens.Select(token => JsonValue.Create(token))]) })["content"]!;

    /// <summary>Embeds a text with <c>/embedding</c>: one row if it uses pooling; otherwise, one row for each token.</summary>
    public float[][] Embed(string text)
    {
        JsonArray rows = Post("embedding", new JsonObject { ["content"] = text })[0]!["embedding"]!.AsArray();
        return [.. rows.Select(row => row!.AsArray().Select(value => (float)value!).ToArray())];
    }

    /// <summary>Scores documents with <c>/v1/rerank</c>.</summary>
    /// <returns>The scores, in the order of the documents, and the number of tokens of all.</returns>
    public (float[] Scores, int Tokens) Rerank(string query, params IEnumerable<string> documents)
    {
        JsonNode answer = Post("v1/rerank", new JsonObject { ["query"] = query, ["documents"] = new JsonArray([.. documents.Select(text => JsonValue.Create(text))]) });
        return (
            [.. answer["results"]!.AsArray().OrderBy(result => (int)result!["index"]!).Select(result => (float)result!["relevance_score"]!)],
            (int)answer["usage"]!["prompt_tokens"]!);
    }

    /// <summary>The prompt that its <c>/apply-template</c> makes of a request as OpenAI's.</summary>
    /// <exception cref="HttpRequestException">The template refused it; the message has its words.</exception>
    public string ApplyTemplate(JsonObject request) => (string)Post("apply-template", request)["prompt"]!;

    /// <summary>Sends a request to <c>/v1/chat/completions</c>.</summary>
    public JsonNode Complete(JsonObject request) => Post("v1/chat/completions", request);

    /// <summary>Continues tokens greedily, with the best alternatives of each position before any sampler, best first.</summary>
    public (int Token, double LogProbability, (int Token, double LogProbability)[] Top)[] Complete(IEnumerable<int> prompt, int count, int top)
    {
        var request = new JsonObject
        {
            ["prompt"] = new JsonArray([.. prompt.Select(token => JsonValue.Create(token))]),
            ["n_predict"] = count,
            ["n_probs"] = top,
            ["temperature"] = 0,
            ["ignore_eos"] = true,
            ["cache_prompt"] = false,
        };
        return
        [
            .. Post("completion", request)["completion_probabilities"]!.AsArray().Select(token => (
                (int)token!["id"]!,
                (double)token["logprob"]!,
                token["top_logprobs"]!.AsArray().Select(other => ((int)other!["id"]!, (double)other["logprob"]!)).ToArray())),
        ];
    }

    /// <summary>Continues tokens greedily while it guesses ahead.</summary>
    /// <returns>The tokens, how many were guessed, and how many of those were right.</returns>
    public (int[] Tokens, int Drafted, int Accepted) Speculate(IEnumerable<int> prompt, int count)
    {
        var request = new JsonObject
        {
            ["prompt"] = new JsonArray([.. prompt.Select(token => JsonValue.Create(token))]),
            ["n_predict"] = count,
            ["temperature"] = 0,
            ["ignore_eos"] = true,
            ["cache_prompt"] = false,
            ["return_tokens"] = true,
        };
        JsonNode answer = Post("completion", request);
        JsonNode timings = answer["timings"]!;
        return (
            [.. answer["tokens"]!.AsArray().Select(token => (int)token!)],
            (int)(timings["draft_n"] ?? 0),
            (int)(timings["draft_n_accepted"] ?? 0));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _http.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    // A piece that is not valid UTF-8 is returned as an array of bytes.
    private static byte[] Bytes(JsonNode piece) => piece is JsonArray bytes
        ? [.. bytes.Select(value => (byte)(int)value!)]
        : System.Text.Encoding.UTF8.GetBytes((string)piece!);

    private JsonNode Post(string path, JsonObject body)
    {
        using HttpResponseMessage response = _http.PostAsJsonAsync(path, body).GetAwaiter().GetResult();
        string answer = response.Content.ReadAsStringAsync().GetAwaiter().GetResult();
        return response.IsSuccessStatusCode ? JsonNode.Parse(answer)! : throw new HttpRequestException($"{path}: {response.StatusCode}, {answer}");
    }

    private void WaitUntilReady()
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                using HttpResponseMessage response = _http.GetAsync("health").GetAwaiter().GetResult();
                if (response.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException) when (!_process.HasExited)
            {
                // It does not listen yet.
            }

            if (Stopwatch.GetElapsedTime(started) > s_limit)
            {
                throw new TimeoutException($"llama-server was not ready within {s_limit}.");
            }

            Thread.Sleep(25);
        }
    }
}
