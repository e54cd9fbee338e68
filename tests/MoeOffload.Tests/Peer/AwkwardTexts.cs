namespace MoeOffload.Tests.Peer;

/// <summary>Texts that tokenizers get wrong.</summary>
internal static class AwkwardTexts
{
    /// <summary>Texts that are valid UTF-8, each a kind of trouble.</summary>
    public static IEnumerable<string> Valid =>
    [
        "",
        " ",
        "   ",
        "\n",
        "\n\n\n",
        "\t\t \t",
        "\r\n",
        "one\r\ntwo\r\n\r\nthree\rfour\n",
        " leading",
        "  leading twice",
        "trailing ",
        "trailing twice  ",
        "in   between\t\tthem",
        "I'm you'll DON'T we'Ve it''s",
        "3.14 1,234,567 0xFF 1e-9 12345678901234567890",
        "camelCase snake_case kebab-case SHOUTING",
        "if (a[i] != b->c) { return \"x\\n\"; } // ~`!@#$%^&*",
        "🦙 🚀🚀🚀 👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇩🇪",
        "café cafe\u0301 ﬁ Å Å",
        "Größe, Привет мир, Ελληνικά, 你好世界, こんにちは, 안녕하세요, مرحبا بالعالم, שלום, नमस्ते, ไทย",
        "mixedсмешанный混合مختلط",
        "١٢٣ ४५६ Ⅻ ½ ²",
        "\uFEFFbyte order mark",
        "zero\u200Bwidth\u200Djoiner\u00A0no-break\u3000ideographic",
        "\u202Eright to left\u202C",
        "\uFFFD\uFFFE\u0001\u001B[31m\u007F\u0085",
        "𝕌𝕟𝕚𝕔𝕠𝕕𝕖 𐍈 \U0010FFFF",
        "a\0b\0\0c",
        "\0",
        "▁▁ ▁not a space▁",
        "Ġ Ċ ĉ not bytes",
        "<0x41><0x0A> not a byte token",
        "< | im_start | > <|im_start <|not_a_token|> <<|im_end|>> </ s>",
        Repeat("a", 3000),
        Repeat(" ", 3000),
        Repeat("\n", 1000),
        Repeat("ab ", 1000),
        Repeat("🦙", 500),
        Repeat("!", 2000),
        Repeat("9", 2000),
        Repeat("漢", 1000),
    ];

    /// <summary>Bytes that are not valid UTF-8, between letters.</summary>
    public static IEnumerable<byte[]> Invalid =>
    [
        [.. "lone: "u8, 0xFF, 0xFE, 0xFD, 0x80, (byte)'a', 0xBF, (byte)'b', 0xC0, 0xAF, (byte)' ', (byte)'c', .. "zero\0inside "u8, 0xE2, 0x28, 0xA1],
        [.. "a surrogate: "u8, 0xED, 0xA0, 0x80, .. " cut short: "u8, 0xF0, 0x9F, 0xA6],
    ];

    /// <summary>A code point beyond U+10FFFF, with which llama.cpp's own tools crash if the vocabulary is byte-level.</summary>
    public static byte[] BeyondUnicode => [.. "beyond: "u8, 0xF4, 0x90, 0x80, 0x80];

    private static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(text, count));
}
