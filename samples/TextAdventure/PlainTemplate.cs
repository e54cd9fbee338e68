namespace TextAdventure;

/// <summary>ChatML that shows tools in few tokens, for models whose own template does not show them.</summary>
internal static class PlainTemplate
{
    public const string Source =
        """
        {%- for message in messages %}<|im_start|>{{ message.role }}
        {{ message.content or '' }}{% if loop.first and tools %}
        {% for tool in tools %}{{ tool.function.name }} {% endfor %}
        <tool_call>{"name": NAME, "arguments": ARGUMENTS}</tool_call>{% endif %}{% for call in message.tool_calls or [] %}<tool_call>
        {"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
        </tool_call>{% endfor %}<|im_end|>
        {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
        {% endif %}
        """;
}
