namespace MoeOffload.Inference.Schemas;

/// <summary>Lists the kinds of JSON values.</summary>
[Flags]
internal enum JsonKinds
{
    /// <summary>No kind.</summary>
    None = 0,

    /// <summary>The value null.</summary>
    Null = 1,

    /// <summary>True and false.</summary>
    Boolean = 2,

    /// <summary>Numbers that are integers, however they are written.</summary>
    Integer = 4,

    /// <summary>Numbers that are not integers.</summary>
    Fraction = 8,

    /// <summary>All numbers.</summary>
    Number = Integer | Fraction,

    /// <summary>Strings.</summary>
    String = 16,

    /// <summary>Arrays.</summary>
    Array = 32,

    /// <summary>Objects.</summary>
    Object = 64,

    /// <summary>All kinds.</summary>
    All = Null | Boolean | Number | String | Array | Object,
}
