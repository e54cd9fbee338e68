using System.Globalization;
using NUnit.Framework;

namespace MoeOffload.Catalog.Tests;

/// <summary>Runs all tests in a culture whose numbers look different, so that a message that follows the culture fails its test.</summary>
[SetUpFixture]
public sealed class CommaCulture
{
    [OneTimeSetUp]
    public void Set()
    {
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        culture.NumberFormat.NumberDecimalSeparator = ",";
        culture.NumberFormat.NumberGroupSeparator = ".";
        culture.NumberFormat.NegativeSign = "minus ";
        CultureInfo.DefaultThreadCurrentCulture = culture;
        CultureInfo.CurrentCulture = culture;
    }
}
