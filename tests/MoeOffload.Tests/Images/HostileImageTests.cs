using System.Diagnostics;
using System.Text;
using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Native;
using NUnit.Framework;

namespace MoeOffload.Tests.Images;

/// <summary>Images that are damaged, or made to harm. The native decoder is reached directly and through a chat.</summary>
[TestFixture]
public sealed class HostileImageTests
{
    private static readonly Lazy<TestCaseData[]> s_images = new(() => [.. Make()]);
    private static readonly byte[] s_jpegHead = [0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 16, 0, 16, 1, 1, 0x11, 0];

    private static TestCaseData[] Images() => s_images.Value;

    private static IEnumerable<TestCaseData> Make()
    {
        byte[] png = TinyImages.Png(1);
        yield return Case("text", Encoding.UTF8.GetBytes("<svg xmlns=\"http://www.w3.org/2000/svg\"/>"), "is not a PNG, JPEG, GIF or BMP");
        yield return Case("WebP", [.. "RIFF"u8, 4, 0, 0, 0, .. "WEBPVP8 "u8], "WebP");
        yield return Case("signature alone", png[..8], "damaged");
        yield return Case("cut header", png[..20], "damaged");
        yield return Case("cut data", png[..(png.Length / 2)], "damaged");
        yield return Case("damaged data", Damage(png), "damaged");
        yield return Case("many pixels", TinyImages.Png(9000, 9000, TinyImages.Compress(new byte[100])), "megapixels");
        yield return Case("too many pixels", TinyImages.Png(20000, 20000, TinyImages.Compress(new byte[100])), "too many");
        yield return Case("endless width", TinyImages.Png(int.MaxValue, 1, []), "damaged");
        yield return Case("strip", TinyImages.Png(4000, 10, TinyImages.Compress(new byte[10 * 12001])), "one side");
        yield return Case("no width", TinyImages.Png(0, 5, []), "damaged");
        yield return Case("bomb", TinyImages.Png(64, 64, TinyImages.Compress(new byte[1 << 25])), "damaged");
        yield return Case("many scans", [.. s_jpegHead, .. Enumerable.Repeat((byte[])[0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0], 1000).SelectMany(scan => scan)], "scans");
    }

    [TestCaseSource(nameof(Images))]
    public void Image_is_refused_quickly_with_the_reason(byte[] image, string reason)
    {
        long start = Stopwatch.GetTimestamp();
        ImageHandle.Decode(image, PromptImage.MaxPixelCount, out string? actual).Should().BeNull();
        actual.Should().Contain(reason);
        Stopwatch.GetElapsedTime(start).Should().BeLessThan(TimeSpan.FromSeconds(5));
    }

    [Test]
    public async Task Chat_with_a_hostile_image_fails_alone()
    {
        using GenerationSession session = VisionModels.Square.CreateSession(SmallModel.Context(512));
        foreach (TestCaseData hostile in Images())
        {
            await FluentActions.Awaiting(() => VisionModels.Answer(session, VisionModels.Ask((byte[])hostile.Arguments[0]!)))
                .Should().ThrowAsync<ImageFormatException>();
        }

        (await VisionModels.Answer(session, VisionModels.Ask(TinyImages.Png(1)))).Text.Should().NotBeEmpty();
    }

    [Test]
    public void Random_changes_of_an_image_never_end_the_process()
    {
        byte[] png = TinyImages.Png(1);
        var random = new Random(5);
        for (int i = 0; i < 3000; i++)
        {
            byte[] changed = [.. png];
            for (int change = random.Next(1, 6); change > 0; change--)
            {
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
            }

            ImageHandle.Decode(changed.AsSpan(0, random.Next(1, changed.Length + 1)), PromptImage.MaxPixelCount, out _)?.Dispose();
        }
    }

    [Test]
    public void Smallest_and_uneven_images_are_taken([Values(1, 2, 7, 63)] int width, [Values(1, 5, 100)] int height)
    {
        using ImageHandle? image = ImageHandle.Decode(TinyImages.Png(1, width, height), PromptImage.MaxPixelCount, out string? reason);
        reason.Should().BeNull();
    }

    [Test]
    public async Task Size_of_a_file_is_limited()
    {
        FluentActions.Invoking(() => PromptImage.FromBytes([])).Should().Throw<ImageFormatException>();
        FluentActions.Invoking(() => PromptImage.FromBytes(new byte[PromptImage.MaxByteCount + 1])).Should().Throw<ImageFormatException>();
        using var stream = new MemoryStream(new byte[PromptImage.MaxByteCount + 1]);
        await FluentActions.Awaiting(() => PromptImage.FromStreamAsync(stream)).Should().ThrowAsync<ImageFormatException>();
        PromptImage.FromBytes(TinyImages.Png(1)).MediaType.Should().Be("image/png");
    }

    private static TestCaseData Case(string name, byte[] image, string reason) => new TestCaseData(image, reason).SetArgDisplayNames(name);

    private static byte[] Damage(byte[] png)
    {
        byte[] damaged = [.. png];
        damaged.AsSpan(60, 40).Fill(0xA5);
        return damaged;
    }
}
