using FluentAssertions;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Gguf;

[TestFixture]
public sealed class GgufFormatTests
{
    private static IEnumerable<TestCaseData> BrokenFiles()
    {
        yield return Case("Empty_file_says_so", [], "the file is empty");
        yield return Case("Other_magic_is_shown", "PK\u0003\u0004...."u8.ToArray(), "504B0304, not with 'GGUF'");
        yield return Case("Magic_alone_is_truncated", "GGUF"u8.ToArray(), "the file ends within the version");
        yield return Case("Version_1_names_the_remedy", RawGguf.Header(version: 1), "convert the model again");
        yield return Case("Version_0_is_unknown", RawGguf.Header(version: 0), "version 0 is not supported");
        yield return Case("Version_4_is_unknown", RawGguf.Header(version: 4), "version 4 is not supported");
        yield return Case("Absurd_number_of_tensors_is_refused", RawGguf.Header(tensors: 1UL << 60), "claims 1152921504606846976 tensors");
        yield return Case("Absurd_number_of_pairs_is_refused", RawGguf.Header(pairs: ulong.MaxValue), "metadata pairs, for which");
        yield return Case("Absurd_array_is_refused", Pair(e => Array(e, GgufValueType.UInt8, 1UL << 60)), "claims 1152921504606846976 elements");
        yield return Case("Array_whose_bytes_overflow_is_refused", Pair(e => Array(e, GgufValueType.UInt64, 1UL << 61)), "elements, for which");
        yield return Case("Absurd_text_is_refused", Pair(e => { e.Type(GgufValueType.String); e.UInt64(ulong.MaxValue); }), "claims 18446744073709551615 bytes");
        yield return Case("Text_beyond_the_end_is_refused", Pair(e => { e.Type(GgufValueType.String); e.UInt64(100); }), "pair 0 'key': a text claims 100 bytes");
        yield return Case("Unknown_value_type_is_refused", Pair(e => e.UInt32(13)), "value type 13 is unknown");
        yield return Case("Unknown_element_type_is_refused", Pair(e => Array(e, (GgufValueType)99, 0)), "value type 99 is unknown");
        yield return Case("Array_of_arrays_is_refused", Pair(e => Array(e, GgufValueType.Array, 0)), "array of arrays");
        yield return Case("Empty_key_is_refused", RawGguf.Header(pairs: 1, rest: e => e.Pair("", 1)), "the key is empty");
        yield return Case("Key_with_a_zero_is_refused", RawGguf.Header(pairs: 1, rest: e => e.Pair("a\0", 1)), "zero byte");
        yield return Case("Key_twice_is_refused", RawGguf.Header(pairs: 2, rest: e => { e.Pair("a", 1); e.Pair("a", 2); }), "pair 1 'a': an earlier pair");
        yield return Case("Alignment_of_0_is_refused", RawGguf.Header(pairs: 1, rest: e => e.Pair(GgufKeys.Alignment, 0)), "0 is not a power of two");
        yield return Case("Alignment_of_48_is_refused", RawGguf.Header(pairs: 1, rest: e => e.Pair(GgufKeys.Alignment, 48)), "48 is not a power of two");
        yield return Case("Alignment_of_2_GiB_is_refused", RawGguf.Header(pairs: 1, rest: e => e.Pair(GgufKeys.Alignment, 1u << 31)), "not a power of two");
        yield return Case("Name_of_64_bytes_is_refused", Tensor(e => e.Tensor(new string('n', 64), GgmlType.F32, 0, 1)), "64 bytes, and 63 are allowed");
        yield return Case("Name_twice_is_refused", Tensors(2, e => { e.Tensor("a", GgmlType.F32, 0, 1); e.Tensor("a", GgmlType.F32, 32, 1); }), "tensor 1 'a': an earlier tensor");
        yield return Case("Five_dimensions_are_refused", Tensor(e => e.Tensor("a", GgmlType.F32, 0, 1, 1, 1, 1, 1)), "claims 5 dimensions");
        yield return Case("Negative_dimension_is_refused", Tensor(e => e.Tensor("a", GgmlType.F32, 0, -4)), "a negative dimension");
        yield return Case("Negative_dimension_beside_one_of_0_is_refused", Tensor(e => e.Tensor("a", GgmlType.F32, 0, 0, -4)), "a negative dimension");
        yield return Case("Absurd_number_of_dimensions_is_refused", Tensor(e => { e.Text("a"u8); e.UInt32(uint.MaxValue); e.UInt64(1); e.UInt64(1); }), "claims 4294967295 dimensions");
        yield return Case("Shape_that_overflows_in_bytes_is_refused", Tensor(e => e.Tensor("a", GgmlType.F32, 0, long.MaxValue / 2)), "larger than any file");
        yield return Case("Shape_that_overflows_before_a_dimension_of_0_is_refused", Tensor(e => e.Tensor("a", GgmlType.F32, 0, 1L << 62, 1L << 62, 0)), "larger than any file");
        yield return Case("Size_that_overflows_when_it_is_added_is_refused", Tensor(e => e.Tensor("a", GgmlType.F32, long.MaxValue - 31, 1024)), "outside the file");
        yield return Case("Length_of_a_name_that_wraps_around_is_refused", Tensor(e => { e.UInt64(ulong.MaxValue - 7); e.UInt64(0); e.UInt64(0); }), "claims 18446744073709551608 bytes");
        yield return Case("Alignment_beyond_the_end_leaves_no_room_for_a_tensor", RawGguf.Header(pairs: 1, tensors: 1, rest: e => { e.Pair(GgufKeys.Alignment, 1u << 30); e.Tensor("a", GgmlType.F32, 0, 1); }, data: 64), "lie outside the file (0 bytes of data)");
        yield return Case("Shape_that_overflows_is_refused", Tensor(e => e.Tensor("a", GgmlType.F32, 0, 1L << 32, 1L << 32)), "larger than any file");
        yield return Case("Half_a_block_is_refused", Tensor(e => e.Tensor("a", GgmlType.Q4_K, 0, 128)), "not a multiple of q4_K's block of 256");
        yield return Case("Removed_type_is_refused", Tensor(e => e.Tensor("a", (GgmlType)31, 0, 32)), "tensor type 31 is unknown");
        yield return Case("Negative_type_is_refused", Tensor(e => e.Tensor("a", (GgmlType)(-1), 0, 32)), "tensor type 4294967295 is unknown");
        yield return Case("Offset_off_alignment_is_refused", Tensor(e => e.Tensor("a", GgmlType.F32, 4, 1)), "not aligned");
        yield return Case("Offset_beyond_63_bits_is_refused", Tensor(e => e.Tensor("a", GgmlType.F32, 1UL << 63, 1)), "outside the file");
        yield return Case("Tensor_beyond_the_end_is_truncation", Tensor(e => e.Tensor("a", GgmlType.F32, 0, 1024)), "tensor 0 'a': its 4096 bytes at offset 0 lie outside the file (64 bytes of data): the file is truncated");
        yield return Case("Overlap_is_refused", Tensors(2, e => { e.Tensor("a", GgmlType.F32, 0, 8); e.Tensor("b", GgmlType.F32, 0, 8); }), "overlaps");
        yield return Case("Gap_is_refused", Tensors(2, e => { e.Tensor("a", GgmlType.F32, 0, 4); e.Tensor("b", GgmlType.F32, 64, 4); }, 96), "leaves a gap");
        yield return Case("Split_number_of_another_type_is_refused", RawGguf.Header(pairs: 1, rest: e => e.Pair(GgufKeys.SplitCount, 2)), "is of type UInt32, not UInt16");
    }

    [TestCaseSource(nameof(BrokenFiles))]
    public void File_is_refused_with(byte[] bytes, string message)
    {
        var read = () => RawGguf.Read(bytes);

        read.Should().Throw<GgufFormatException>().Which.Message.Should().Contain(message);
    }

    [Test]
    public void Tensor_without_elements_and_one_without_dimensions_are_read_as_llama_cpp_does()
    {
        GgufFile file = RawGguf.Read(Tensors(3, e =>
        {
            e.Tensor("empty", GgmlType.Q8_0, 0, 32, 0);
            e.Tensor("scalar", GgmlType.F32, 0);
            e.Tensor("also empty", GgmlType.F32, 32, 0);
        }));

        file.Tensors.Select(tensor => (tensor.Name, tensor.ElementCount, tensor.ByteCount)).Should().Equal(("empty", 0, 0), ("scalar", 1, 4), ("also empty", 0, 0));
    }

    [TestCase(0)]
    [TestCase(1)]
    public void Files_that_were_appended_to_each_other_are_refused_with_the_remedy(int tensors)
    {
        byte[] first = tensors == 0 ? RawGguf.Header() : Tensor(e => e.Tensor("a", GgmlType.F32, 0, 16));

        FluentActions.Invoking(() => RawGguf.Read([.. first, .. RawGguf.Header()])).Should().Throw<GgufFormatException>()
            .WithMessage("*another GGUF file begins there*separate files*NAME-00001-of-00002.gguf*llama-gguf-split --merge*");
        RawGguf.Read([.. first, .. "something else"u8]).Tensors.Should().HaveCount(tensors, "llama.cpp ignores what follows");
    }

    [Test]
    public void Files_that_were_appended_after_padding_are_refused_too()
    {
        byte[] first = Tensor(e => e.Tensor("a", GgmlType.F32, 0, 1));

        FluentActions.Invoking(() => RawGguf.Read([.. first[..^64], .. new byte[32], .. RawGguf.Header()])).Should().Throw<GgufFormatException>().WithMessage("*another GGUF file*");
    }

    [Test]
    public void Absurd_sizes_are_refused_without_allocating_for_them()
    {
        var bytes = Pair(e => Array(e, GgufValueType.String, 1UL << 29));

        var before = GC.GetAllocatedBytesForCurrentThread();
        FluentActions.Invoking(() => RawGguf.Read(bytes)).Should().Throw<GgufFormatException>();

        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(1024 * 1024);
    }

    [Test]
    public void Every_truncation_is_refused()
    {
        var whole = SmallFile();

        for (var length = 0; length < whole.Length; length++)
        {
            var part = whole[..length];
            FluentActions.Invoking(() => RawGguf.Read(part)).Should().Throw<GgufFormatException>("{0} of {1} bytes are left", length, whole.Length);
        }
    }

    [Test]
    public void Every_flipped_bit_is_either_refused_or_read()
    {
        var bytes = SmallFile();

        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                var file = RawGguf.Read(bytes);
                foreach (var (_, value) in file.Metadata)
                {
                    _ = value.ToString();
                }
            }
            catch (GgufFormatException)
            {
            }

            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Test]
    public void Missing_file_is_a_FileNotFoundException() =>
        FluentActions.Invoking(() => GgufFile.Open(Path.Combine(Path.GetTempPath(), "no such model.gguf"))).Should().Throw<FileNotFoundException>();

    [Test]
    public void Folder_is_an_IOException_that_says_so() =>
        FluentActions.Invoking(() => GgufFile.Open(Path.GetTempPath())).Should().Throw<IOException>().WithMessage("*is a folder*");

    [Test]
    public void Stream_without_length_is_an_ArgumentException()
    {
        using var pipe = new System.IO.Pipelines.Pipe().Reader.AsStream();

        FluentActions.Invoking(() => GgufFile.Read(pipe)).Should().Throw<ArgumentException>();
    }

    [Test]
    public void Every_type_has_the_size_of_whole_blocks()
    {
        foreach (var type in Enum.GetValues<GgmlType>())
        {
            var info = GgmlTypeInfo.Get(type);
            info.GetByteCount(info.BlockSize, 3).Should().Be(3 * info.BytesPerBlock);
            info.Name.Should().BeEquivalentTo(type.ToString());
        }

        GgmlTypeInfo.All.Should().HaveCount(Enum.GetValues<GgmlType>().Length);
        FluentActions.Invoking(() => GgmlTypeInfo.Get(GgmlType.F32).GetByteCount(long.MaxValue, 2)).Should().Throw<OverflowException>();
    }

    private static byte[] SmallFile()
    {
        var writer = new GgufWriter();
        writer.Set("general.architecture", "llama");
        writer.SetArray("tokens", ["a", "bc", ""]);
        writer.SetArray("scores", 1f, 2f, 3f);
        writer.AddTensor("a", GgmlType.F32, [3, 2], new byte[24]);
        writer.AddTensor("b", GgmlType.Q8_0, [32, 2], new byte[68]);
        var stream = new MemoryStream();
        writer.Write(stream);

        // Padding after the last tensor may be missing, so the file ends where its data does.
        return stream.ToArray()[..^28];
    }

    private static void Array(GgufEncoder encoder, GgufValueType type, ulong count)
    {
        encoder.Type(GgufValueType.Array);
        encoder.Type(type);
        encoder.UInt64(count);
    }

    private static byte[] Pair(Action<GgufEncoder> value) => RawGguf.Header(pairs: 1, rest: encoder =>
    {
        encoder.Text("key");
        value(encoder);
    });

    private static byte[] Tensor(Action<GgufEncoder> tensor) => Tensors(1, tensor);

    private static byte[] Tensors(ulong count, Action<GgufEncoder> tensors, int data = 64) => RawGguf.Header(tensors: count, rest: tensors, data: data);

    private static TestCaseData Case(string name, byte[] bytes, string message) => new TestCaseData(bytes, message).SetName(name);
}
