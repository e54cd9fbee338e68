using System.Buffers.Binary;
using System.Security.Cryptography;
using FluentAssertions;
using MoeOffload.Diagnostics;
using NUnit.Framework;

namespace MoeOffload.Tests.Diagnostics.Traces;

/// <summary>The format of traces is the documented one, and nothing else is read.</summary>
[TestFixture]
public sealed class ExpertTraceFormatTests
{
    private const int Mutations = 4000;
    private const int HeaderLength = 71 + 16;

    private static readonly int[] s_numbers = [0, 1, -1, 2, 255, 256, 4097, 65535, 65536, int.MaxValue, int.MinValue];

    private static readonly ExpertTraceModel s_model = ExpertTraces.Model(experts: 4, used: 2, bytes: [0, 300]);

    // A prompt of three tokens in two micro-batches, and a token that is generated.
    private static readonly byte[] s_file = ExpertTraces.Record(s_model, recorder =>
    {
        recorder.OnChoices(1, 2, 2, 4, [3, 0, 1, 2, 2, 1]);
        recorder.OnChoices(1, 1, 2, 2, [0, -1]);
        recorder.OnStep(3, 1, isComplete: true);
        recorder.OnChoices(1, 1, 2, 2, [1, 3]);
        recorder.OnStep(1, 1, isComplete: false);
    });

    [Test]
    public void File_has_the_bytes_that_the_documentation_describes()
    {
        byte[] header =
        [
            .. "MOETRACE"u8, 1, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0,
            .. Enumerable.Repeat((byte)10, 32), 4, 0, .. "tiny"u8, 7, 0, .. "a model"u8,
            0, 0, 0, 0, 0, 0, 0, 0, 44, 1, 0, 0, 0, 0, 0, 0,
        ];
        byte[] records =
        [
            1, 1, 2, 2, 3, 0, 2, 1,
            1, 1, 1, 2, 0, 255,
            2, 3, 1, 0,
            1, 1, 1, 2, 1, 3,
            2, 1, 1, 1,
            0, 2, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0,
        ];
        byte[] content = [.. header, .. records];

        s_file.Should().Equal([.. content, .. SHA256.HashData(content)]);
    }

    [Test]
    public void What_was_recorded_is_read()
    {
        ExpertTrace trace = ExpertTraces.Load(s_file);

        trace.Model.Should().BeEquivalentTo(s_model);
        (trace.StepCount, trace.TokenCount).Should().Be((2, 4));
        trace.Layers.Should().Equal(1);
        ExpertTraceStep[] steps = [.. trace.EnumerateSteps()];
        steps.Select(step => (step.TokenCount, step.OutputCount, step.IsComplete, step.IsDecode, step.Choices.Count))
            .Should().Equal((3, 1, true, false, 2), (1, 1, false, true, 1));
        ExpertChoices first = steps[0].Choices[0];
        (first.Layer, first.TokenCount, first.ExpertsPerToken).Should().Be((1, 2, 2));
        (first.GetExpert(0, 0), first.GetExpert(0, 1), first.GetExpert(1, 0), first.GetExpert(1, 1)).Should().Be((3, 0, 2, 1));
        steps[0].Choices[1].GetExpert(0, 1).Should().Be(-1);
        first.Should().Be(trace.EnumerateSteps().First().Choices[0]);
        FluentActions.Invoking(() => first.GetExpert(2, 0)).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => first.GetExpert(0, 2)).Should().Throw<ArgumentOutOfRangeException>();

        ExpertActivity activity = trace.CountActivity();
        activity.GetCounts(1).ToArray().Should().Equal(2, 2, 1, 2);
        activity.GetTokenCount(1).Should().Be(4);
    }

    [TestCase(255, 1)]
    [TestCase(256, 2)]
    [TestCase(65535, 2)]
    public void Experts_take_as_many_bytes_as_their_number_needs(int experts, int width)
    {
        int[] chosen = [0, experts - 1, -1];

        byte[] file = ExpertTraces.Record(ExpertTraces.Model(experts, 3), recorder =>
        {
            recorder.OnChoices(0, 1, 3, 3, chosen);
            recorder.OnStep(1, 1, isComplete: true);
        });

        byte[] shorter = ExpertTraces.Record(ExpertTraces.Model(experts, 3), recorder =>
        {
            recorder.OnChoices(0, 1, 2, 2, chosen.AsSpan(0, 2));
            recorder.OnStep(1, 1, isComplete: true);
        });
        (file.Length - shorter.Length).Should().Be(width);
        ExpertChoices choices = ExpertTraces.Load(file).EnumerateSteps().Single().Choices.Single();
        Enumerable.Range(0, 3).Select(index => choices.GetExpert(0, index)).Should().Equal(chosen);
    }

    [Test]
    public void Recording_that_ends_within_a_step_is_read_as_an_incomplete_step()
    {
        byte[] file = ExpertTraces.Record(s_model, recorder => recorder.OnChoices(1, 2, 2, 2, [0, 1, 2, 3]));

        ExpertTraceStep step = ExpertTraces.Load(file).EnumerateSteps().Single();

        (step.TokenCount, step.OutputCount, step.IsComplete, step.IsDecode).Should().Be((2, 0, false, false));
    }

    [Test]
    public void Recording_without_a_step_is_an_empty_trace()
    {
        ExpertTrace trace = ExpertTraces.Load(ExpertTraces.Record(s_model, static _ => { }));

        (trace.StepCount, trace.TokenCount, trace.Layers.Count).Should().Be((0, 0, 0));
        trace.EnumerateSteps().Should().BeEmpty();
    }

    [Test]
    public void Texts_of_a_model_that_are_too_long_are_cut()
    {
        ExpertTraceModel model = s_model with { Name = new string('x', 70_000) };

        ExpertTraces.Load(ExpertTraces.Record(model, static _ => { })).Model.Name.Should().Be(new string('x', 1024));
    }

    [Test]
    public void Trace_that_is_cut_anywhere_is_refused()
    {
        for (int length = 0; length < s_file.Length; length++)
        {
            Refused(s_file[..length]);

            // With a checksum of its own, so that the end is missing to the reader of the records as well.
            byte[] content = s_file[..Math.Min(length, s_file.Length - 33)];
            Refused([.. content, .. SHA256.HashData(content)]);
        }
    }

    [TestCase(8, 2, "*version 2*supports version 1*")]
    [TestCase(0, 0, "*is not a trace of experts*")]
    [TestCase(12, 0, "*layers: 0*")]
    [TestCase(12, 5000, "*layers: 5000*")]
    [TestCase(16, 0, "*experts: 0*")]
    [TestCase(16, 70000, "*experts: 70000*")]
    [TestCase(20, 5, "*experts for each token: 5*")]
    [TestCase(HeaderLength - 1, -1, "*bytes in layer 1*")]
    [TestCase(HeaderLength + 1, 0x02020001, "*rows: 0*")]
    [TestCase(HeaderLength, 0x00030202, "*logits of a step: 3*")]
    [TestCase(HeaderLength, 0x02020207, "*record of the kind 7*")]
    [TestCase(HeaderLength + 1, 0x03020202, "*layer: 2*")]
    [TestCase(HeaderLength + 4, 0x01020004, "*expert 4 of 4*")]
    [TestCase(HeaderLength + 14, 0x00010102, "*tokens of a step: 1*")]
    [TestCase(HeaderLength + 14, 0x00040302, "*logits of a step: 4*")]
    [TestCase(HeaderLength + 14, 0x02010302, "*flags of a step: 2*")]
    [TestCase(HeaderLength + 14, 0x00000000, "*choices without a step*")]
    public void Trace_with_a_number_that_cannot_be_says_which(int place, int number, string message)
    {
        byte[] content = s_file[..^32];
        BinaryPrimitives.WriteInt32LittleEndian(content.AsSpan(place), number);

        Refused([.. content, .. SHA256.HashData(content)]).WithMessage(message);
    }

    [Test]
    public void Trace_with_a_wrong_checksum_or_more_behind_its_end_is_refused()
    {
        byte[] changed = [.. s_file];
        changed[HeaderLength + 5] ^= 1;
        byte[] longer = [.. s_file[..^32], 0];

        Refused(changed).WithMessage("*checksum*");
        Refused([.. s_file, 0]).WithMessage("*checksum*");
        Refused([.. longer, .. SHA256.HashData(longer)]).WithMessage("*after its end*");
    }

    [Test]
    public void Trace_that_names_other_sums_than_it_has_is_refused()
    {
        byte[] content = s_file[..^32];
        content[^8]++;

        Refused([.. content, .. SHA256.HashData(content)]).WithMessage("*numbers of steps and tokens*");
    }

    [Test]
    public void Mutated_trace_is_read_or_refused_as_documented()
    {
        var random = new Random(5);
        int read = 0;
        for (int i = 0; i < Mutations; i++)
        {
            byte[] mutated = Mutate(random);
            try
            {
                ExpertTrace trace = ExpertTraces.Load(mutated);
                trace.EnumerateSteps().Sum(step => (long)step.TokenCount).Should().Be(trace.TokenCount);
                trace.CountActivity().LayerCount.Should().Be(trace.Model.LayerCount);
                read++;
            }
            catch (TraceFormatException)
            {
                // This is the documented exception.
            }
        }

        read.Should().BeInRange(1, Mutations - 1);
    }

    [Test]
    public async Task File_that_does_not_exist_is_an_io_exception()
    {
        FluentActions.Invoking(() => ExpertTrace.Load("/no/such/file")).Should().Throw<IOException>();
        await FluentActions.Awaiting(() => ExpertTrace.LoadAsync("/no/such/file")).Should().ThrowAsync<IOException>();
        FluentActions.Invoking(() => ExpertTrace.Load(string.Empty)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => ExpertTrace.Load((Stream)null!)).Should().Throw<ArgumentNullException>();
    }

    private static FluentAssertions.Specialized.ExceptionAssertions<TraceFormatException> Refused(byte[] bytes) =>
        FluentActions.Invoking(() => ExpertTraces.Load(bytes)).Should().Throw<TraceFormatException>("{0} bytes", bytes.Length);

    private static byte[] Mutate(Random random)
    {
        byte[] content = s_file[..^SHA256.HashSizeInBytes];
        for (int times = random.Next(1, 4); times > 0; times--)
        {
            int place = random.Next(content.Length - sizeof(int));
            switch (random.Next(4))
            {
                case 0:
                    content[place] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    BinaryPrimitives.WriteInt32LittleEndian(content.AsSpan(place), s_numbers[random.Next(s_numbers.Length)]);
                    break;
                case 2:
                    content = [.. content[..place], .. content[Math.Min(content.Length, place + random.Next(1, 16))..], .. new byte[sizeof(int)]];
                    break;
                default:
                    content = [.. content[..place], .. content.AsSpan(0, random.Next(1, 16)), .. content[place..]];
                    break;
            }
        }

        return random.Next(8) == 0 ? content : [.. content, .. SHA256.HashData(content)];
    }
}
