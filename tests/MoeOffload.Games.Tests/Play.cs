using System.Diagnostics;
using System.Text;
using MoeOffload.Fixtures;

namespace MoeOffload.Games.Tests;

/// <summary>The demo model with a template that shows tools, and a game's loop for tests.</summary>
internal static class Play
{
    /// <summary>A template in ChatML that shows what a character can do in few tokens, because the demo model's context is short.</summary>
    public const string Template =
        """
        {%- for message in messages %}<|im_start|>{{ message.role }}
        {{ message.content or '' }}{% if loop.first and tools %}{% for tool in tools %}{{ tool.function.name }}{{ tool.function.parameters.properties | tojson }}{% endfor %}
        <tool_call>{"name": NAME, "arguments": ARGUMENTS}</tool_call>{% endif %}{% for call in message.tool_calls or [] %}<tool_call>
        {"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
        </tool_call>{% endfor %}<|im_end|>
        {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
        {% endif %}
        """;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly Lazy<MoeModel> s_model = new(() => MoeModel.Load(DemoModel.Path, new ModelOptions { ChatTemplate = Template }));

    /// <summary>The model. Not to be disposed.</summary>
    public static MoeModel Model => s_model.Value;

    /// <summary>Creates a session that computes on one thread, which disturbs other work on the machine least.</summary>
    /// <param name="sequences">The number of characters that speak at the same time.</param>
    /// <param name="length">The number of tokens for each. The model was trained for 512.</param>
    public static GenerationSession Session(int sequences = 1, int length = 512) =>
        Model.CreateSession(new ContextOptions { ContextLength = sequences * length, SequenceCount = sequences, Threads = { Decode = 1 } });

    /// <summary>Runs frames until a character has answered, and returns what it has said.</summary>
    public static string Hear(World world, Character character)
    {
        var said = new StringBuilder();
        Until(world, () =>
        {
            while (character.TryRead(out string? words))
            {
                said.Append(words);
            }

            return !character.IsAnswering;
        });
        return said.ToString();
    }

    /// <summary>Runs frames until something is the case.</summary>
    public static void Until(World world, Func<bool> isReached)
    {
        long start = Stopwatch.GetTimestamp();
        while (!isReached())
        {
            world.Update();
            Thread.Sleep(1);
            if (Stopwatch.GetElapsedTime(start) > s_patience)
            {
                throw new TimeoutException("The game waits for something that does not happen.");
            }
        }
    }
}
