using FluentAssertions;
using MoeOffload.Bindings.Generator;
using NUnit.Framework;

namespace MoeOffload.Bindings.Tests;

[TestFixture]
internal sealed class GeneratorOptionsTests
{
    [Test]
    public void No_argument_is_needed_in_a_checkout()
        => GeneratorOptions.Parse([], GeneratorOptions.FindCheckout()).Should().BeEquivalentTo(Checkout.Options);

    [Test]
    public void Source_and_include_take_the_place_of_the_installed_headers()
    {
        string folder = Path.GetFullPath("somewhere");

        GeneratorOptions options = GeneratorOptions.Parse(["--source", folder, "--include", folder, "--clang", "clang-19"], folder);

        options.Headers.Should().Equal(Path.Combine(folder, "include"), Path.Combine(folder, "ggml", "include"), folder);
        options.Clang.Should().Be("clang-19");
    }

    [TestCase("--unknown", "value")]
    [TestCase("--out")]
    public void Wrong_option_is_named_with_the_usage(params string[] arguments)
        => FluentActions.Invoking(() => GeneratorOptions.Parse(arguments, "."))
            .Should().Throw<GeneratorException>().WithMessage($"*'{arguments[0]}'*usage:*");

    [Test]
    public void Version_is_the_tag_of_the_lock_file()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "version = 9.9.9\ntag       = v1.2.3\n");
            GeneratorOptions options = Checkout.Options with { Lock = file };
            options.ReadVersion().Should().Be("1.2.3");

            File.WriteAllText(file, "version = 9.9.9\n");
            FluentActions.Invoking(options.ReadVersion).Should().Throw<GeneratorException>().WithMessage("*names no tag*");
        }
        finally
        {
            File.Delete(file);
        }
    }
}
