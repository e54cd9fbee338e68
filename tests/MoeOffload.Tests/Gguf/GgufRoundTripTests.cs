using FluentAssertions;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Gguf;

[TestFixture]
public sealed class GgufRoundTripTests
{
    [Test]
    public void File_of_every_version_and_byte_order_reads_back_as_written(
        [Values(2, 3)] int version, [Values] GgufByteOrder byteOrder, [Values(32, 64, 4096)] int alignment)
    {
        var writer = new GgufWriter(new GgufWriterOptions { Version = version, ByteOrder = byteOrder, Alignment = alignment });
        SetEveryType(writer);
        writer.AddTensor("scalar", GgmlType.F32, [], new byte[] { 1, 2, 3, 4 });
        writer.AddTensor("cube", GgmlType.Q8_0, [64, 3, 2, 5], Fill);

        var stream = Write(writer);
        var file = GgufFile.Read(stream);

        file.Version.Should().Be(version);
        file.ByteOrder.Should().Be(byteOrder);
        file.Alignment.Should().Be(alignment);
        file.Length.Should().Be(stream.Length);
        writer.GetByteCount().Should().Be(stream.Length);
        (file.DataOffset % alignment).Should().Be(0);
        EveryTypeShouldBeBack(file.Metadata);
        file.Tensors.Select(tensor => tensor.ToString()).Should().Equal("scalar f32 []", "cube q8_0 [64, 3, 2, 5]");
        var cube = file.Tensors[1];
        cube.Offset.Should().Be(alignment);
        cube.ByteCount.Should().Be(2 * 34 * 3 * 2 * 5);
        cube.ElementCount.Should().Be(64 * 3 * 2 * 5);
        var data = stream.ToArray().AsSpan((int)(file.DataOffset + cube.Offset), (int)cube.ByteCount);
        data.ToArray().Should().Equal(Enumerable.Range(0, (int)cube.ByteCount).Select(i => (byte)i));
    }

    [Test]
    public void File_without_anything_reads_back()
    {
        var file = GgufFile.Read(Write(new GgufWriter()));

        file.Metadata.Should().BeEmpty();
        file.Tensors.Should().BeEmpty();
        file.DataOffset.Should().Be(24);
        new GgufWriter().GetByteCount().Should().Be(24);
        file.Split.Should().BeNull();
    }

    [Test]
    public void Read_starts_at_the_streams_position()
    {
        var writer = new GgufWriter();
        writer.AddTensor("a", GgmlType.F32, [1], new byte[4]);
        var bytes = Write(writer).ToArray();
        using var stream = new MemoryStream([9, 9, 9, .. bytes]) { Position = 3 };

        var file = GgufFile.Read(stream);

        file.Length.Should().Be(bytes.Length);
        file.DataOffset.Should().Be(64);
    }

    [Test]
    public void Tensors_beyond_4_GiB_have_64_bit_offsets()
    {
        var path = Path.Combine(Path.GetTempPath(), $"sparse-{Guid.NewGuid():N}.gguf");
        try
        {
            var header = RawGguf.Header(tensors: 2, rest: encoder =>
            {
                encoder.Tensor("big", GgmlType.F32, 0, 1L << 31);
                encoder.Tensor("last", GgmlType.F32, 1UL << 33, 1);
            });
            using (var stream = File.Create(path))
            {
                stream.Write(header);
                stream.SetLength(header.Length + (1L << 33) + 4);
            }

            var file = GgufFile.Open(path);

            file.Tensors[0].ByteCount.Should().Be(1L << 33);
            file.Tensors[1].Offset.Should().Be(1L << 33);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void Values_copied_from_a_file_of_the_other_byte_order_stay_the_same()
    {
        var big = new GgufWriter(new GgufWriterOptions { ByteOrder = GgufByteOrder.BigEndian });
        SetEveryType(big);
        var copy = new GgufWriter();
        foreach (var (key, value) in GgufFile.Read(Write(big)).Metadata)
        {
            copy.Set(key, value);
        }

        EveryTypeShouldBeBack(GgufFile.Read(Write(copy)).Metadata);
    }

    [Test]
    public void Setting_a_key_again_replaces_its_value_and_removing_removes_it()
    {
        var writer = new GgufWriter();
        writer.Set("a", 1u);
        writer.Set("b", 2u);
        writer.Set("a", "text");
        writer.Remove("b").Should().BeTrue();

        var metadata = GgufFile.Read(Write(writer)).Metadata;

        metadata.Select(pair => pair.Key).Should().Equal("a");
        metadata.TryGetString("a", out var text).Should().BeTrue();
        text.Should().Be("text");
    }

    [Test]
    public void Reading_integers_checks_that_they_fit()
    {
        var writer = new GgufWriter();
        writer.Set("large", ulong.MaxValue);
        writer.Set("negative", -1);
        var metadata = GgufFile.Read(Write(writer)).Metadata;

        metadata.TryGetInt64("large", out _).Should().BeFalse();
        metadata.TryGetUInt32("negative", out _).Should().BeFalse();
        metadata.TryGetInt32("negative", out var negative).Should().BeTrue();
        negative.Should().Be(-1);
        metadata.TryGetInt32("missing", out _).Should().BeFalse();
        metadata.TryGetDouble("negative", out _).Should().BeFalse();
        metadata.TryGetValue("large", out var large).Should().BeTrue();
        large.Invoking(value => value.ToArray<int>()).Should().Throw<InvalidOperationException>();
    }

    [TestCase("", TestName = "Writer_refuses_an_empty_key")]
    [TestCase("with\0zero", TestName = "Writer_refuses_a_key_with_a_zero")]
    [TestCase(GgufKeys.Alignment, TestName = "Writer_refuses_the_alignment_as_a_key")]
    public void Writer_refuses_key(string key) =>
        new GgufWriter().Invoking(writer => writer.Set(key, 1u)).Should().Throw<ArgumentException>();

    [Test]
    public void Writer_refuses_tensors_that_the_reader_would_refuse()
    {
        var writer = new GgufWriter();
        writer.AddTensor("a", GgmlType.F32, [2], new byte[8]);

        writer.Invoking(it => it.AddTensor("a", GgmlType.F32, [2], new byte[8])).Should().Throw<ArgumentException>("the name is taken");
        writer.Invoking(it => it.AddTensor(new string('x', 64), GgmlType.F32, [2], Fill)).Should().Throw<ArgumentException>("the name is long");
        writer.Invoking(it => it.AddTensor("b", GgmlType.F32, [2], new byte[7])).Should().Throw<ArgumentException>("data is missing");
        writer.Invoking(it => it.AddTensor("b", GgmlType.F32, [1, 1, 1, 1, 1], Fill)).Should().Throw<ArgumentException>("five dimensions");
        writer.Invoking(it => it.AddTensor("b", GgmlType.F32, [0], Fill)).Should().Throw<ArgumentException>("no element");
        writer.Invoking(it => it.AddTensor("b", GgmlType.Q8_0, [33], Fill)).Should().Throw<ArgumentException>("half a block");
        writer.Invoking(it => it.AddTensor("b", (GgmlType)4, [32], Fill)).Should().Throw<ArgumentException>("a removed type");
        writer.TensorNames.Should().Equal("a");
    }

    [Test]
    public void Large_vocabulary_opens_without_an_allocation_per_token()
    {
        var writer = new GgufWriter();
        writer.SetArray("tokenizer.ggml.tokens", Enumerable.Range(0, 200_000).Select(i => $"token{i}").ToArray());
        writer.SetArray("tokenizer.ggml.scores", new float[200_000].AsSpan());
        var stream = Write(writer);
        GgufFile.Read(stream);
        stream.Position = 0;

        var before = GC.GetAllocatedBytesForCurrentThread();
        var file = GgufFile.Read(stream);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        allocated.Should().BeLessThan(3 * stream.Length);
        file.Metadata.TryGetValue("tokenizer.ggml.tokens", out var tokens).Should().BeTrue();
        tokens.Count.Should().Be(200_000);
        tokens.ToStringArray()[^1].Should().Be("token199999");
    }

    private static void Fill(long offset, Span<byte> destination)
    {
        for (var i = 0; i < destination.Length; i++)
        {
            destination[i] = (byte)(offset + i);
        }
    }

    private static MemoryStream Write(GgufWriter writer)
    {
        var stream = new MemoryStream();
        writer.Write(stream);
        stream.Position = 0;
        return stream;
    }

    private static void SetEveryType(GgufWriter writer)
    {
        writer.Set("u8", byte.MaxValue);
        writer.Set("i8", sbyte.MinValue);
        writer.Set("u16", ushort.MaxValue);
        writer.Set("i16", short.MinValue);
        writer.Set("u32", uint.MaxValue);
        writer.Set("i32", int.MinValue);
        writer.Set("u64", ulong.MaxValue);
        writer.Set("i64", long.MinValue);
        writer.Set("f32", 1.5f);
        writer.Set("f64", -2.5);
        writer.Set("yes", true);
        writer.Set("text", "größe 🦙");
        writer.Set("empty", "");
        writer.SetArray("numbers", 1, -2, 3);
        writer.SetArray<byte>("bytes", 1, 2);
        writer.SetArray("flags", true, false);
        writer.SetArray("floats", 0.5f, float.NaN);
        writer.SetArray<ulong>("nothing");
        writer.SetArray("texts", ["a", "", "ü"]);
    }

    private static void EveryTypeShouldBeBack(GgufMetadata metadata)
    {
        Value("u8").GetInt64(0).Should().Be(byte.MaxValue);
        Value("i8").GetInt64(0).Should().Be(sbyte.MinValue);
        Value("u16").GetInt64(0).Should().Be(ushort.MaxValue);
        Value("i16").GetInt64(0).Should().Be(short.MinValue);
        Value("u32").GetInt64(0).Should().Be(uint.MaxValue);
        Value("i32").GetInt64(0).Should().Be(int.MinValue);
        Value("u64").ToString().Should().Be("18446744073709551615");
        Value("i64").GetInt64(0).Should().Be(long.MinValue);
        Value("f32").GetDouble(0).Should().Be(1.5);
        Value("f64").GetDouble(0).Should().Be(-2.5);
        Value("yes").TryGetBoolean(out var yes).Should().BeTrue();
        yes.Should().BeTrue();
        Value("text").ToString().Should().Be("größe 🦙");
        Value("empty").Utf8.Length.Should().Be(0);
        Value("numbers").ToArray<int>().Should().Equal(1, -2, 3);
        Value("bytes").ToArray<byte>().Should().Equal(1, 2);
        Value("flags").ToArray<bool>().Should().Equal(true, false);
        Value("floats").ToArray<float>().Should().Equal(0.5f, float.NaN);
        Value("nothing").ToArray<ulong>().Should().BeEmpty();
        Value("texts").ToStringArray().Should().Equal("a", "", "ü");

        GgufValue Value(string key)
        {
            metadata.TryGetValue(key, out var value).Should().BeTrue(key);
            return value;
        }
    }
}
