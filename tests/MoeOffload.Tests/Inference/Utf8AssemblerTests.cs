using System.Text;
using FluentAssertions;
using MoeOffload.Inference.Output;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>Whatever bytes tokens have and wherever they part, each text is whole, and together they read as the bytes do.</summary>
[TestFixture]
public sealed class Utf8AssemblerTests
{
    private static readonly byte[][] s_texts =
    [
        "a"u8.ToArray(),
        "aé€😀 z"u8.ToArray(),
        "\uFFFD\u0000\uFEFF"u8.ToArray(),
        [0x80],
        [0xC3],
        [0xE2, 0x82],
        [0xF0, 0x9F, 0x98],
        [0xF0, 0x9F, 0x41, 0x98, 0x80],
        [0xC0, 0xAF, 0xED, 0xA0, 0x80],
        [0xFF, 0xFE, 0x41, 0xF8, 0x88],
        [0xE2, 0xE2, 0x82, 0xAC],
        [0xF4, 0x90, 0x80, 0x80, 0xC3],
    ];

    [TestCaseSource(nameof(s_texts))]
    public void Assembler_over_all_splits_reads_as_the_whole_does(byte[] text)
    {
        for (int splits = 0; splits < 1 << (text.Length - 1); splits++)
        {
            List<byte[]> pieces = [[]];
            for (int i = 0; i < text.Length; i++)
            {
                pieces[^1] = [.. pieces[^1], text[i]];
                if ((splits >> i & 1) != 0)
                {
                    pieces.Add([]);
                }
            }

            Assemble(pieces).Should().Be(Encoding.UTF8.GetString(text), Convert.ToHexString(text));
        }
    }

    [Test]
    public void Assembler_over_random_bytes_reads_as_the_whole_does()
    {
        var random = new Random(3);
        byte[] alphabet = [0x41, 0x80, 0xBF, 0xC3, 0xE2, 0xED, 0xF0, 0x9F, 0x98, 0xFF, 0xA0];
        for (int run = 0; run < 20_000; run++)
        {
            List<byte[]> pieces = [.. Enumerable.Range(0, random.Next(1, 8)).Select(_ => random.GetItems(alphabet, random.Next(0, 4)))];
            Assemble(pieces).Should().Be(Encoding.UTF8.GetString([.. pieces.SelectMany(piece => piece)]));
        }
    }

    [Test]
    public void Assembler_passes_a_whole_piece_on_without_a_copy()
    {
        ReadOnlyMemory<byte> piece = "whole"u8.ToArray();
        new Utf8Assembler().Append(piece, isWhole: true).Equals(piece).Should().BeTrue();
    }

    private static string Assemble(List<byte[]> pieces)
    {
        var assembler = new Utf8Assembler();
        var text = new StringBuilder();
        foreach (byte[] piece in pieces)
        {
            Append(assembler.Append(piece, System.Text.Unicode.Utf8.IsValid(piece)));
        }

        Append(assembler.Flush());
        return text.ToString();

        void Append(ReadOnlyMemory<byte> part)
        {
            System.Text.Unicode.Utf8.IsValid(part.Span).Should().BeTrue();
            text.Append(Encoding.UTF8.GetString(part.Span));
        }
    }
}
