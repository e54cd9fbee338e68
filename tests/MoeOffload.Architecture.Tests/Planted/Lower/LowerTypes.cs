using MoeOffload.Architecture.Tests.Planted.Upper;

namespace MoeOffload.Architecture.Tests.Planted.Lower;

/// <summary>Refers to nothing; the upper folder refers to it.</summary>
internal sealed class LowerThing;

internal sealed class ByBaseType : UpperClass;

internal interface IByInterface : IUpper;

internal sealed class ByField
{
    public UpperEnumeration Kind { get; set; }
}

internal sealed class ByTypeArgument
{
    public List<UpperStruct[]>? Values { get; set; }
}

internal sealed class ByParameter
{
    public static void Take(UpperDelegate? call) => _ = call is null;
}

internal sealed class ByConstraint<T>
    where T : IUpper;

[Upper]
internal enum ByAttribute
{
    Value,
}

internal sealed class ByAttributeOfMember
{
    [Upper]
    public int Value { get; set; }
}

internal sealed class ByBody
{
    public static int Read() => UpperClass.Number();
}

internal sealed class ByClosure
{
    public static Func<int> Make(int added) => () => UpperClass.Number() + added;
}

internal sealed class ByIterator
{
    public static IEnumerable<int> List()
    {
        yield return UpperClass.Number();
    }
}

internal sealed class ByAsync
{
    public static async Task<int> ReadAsync()
    {
        await Task.Yield();
        return UpperClass.Number();
    }
}

internal sealed class ByCatch
{
    public static bool Try(Action call)
    {
        try
        {
            call();
            return true;
        }
        catch (UpperException)
        {
            return false;
        }
    }
}

internal sealed unsafe class ByPointer
{
    public UpperStruct* Pointer { get; set; }
}
