namespace MoeOffload.Games.Actions;

/// <summary>Specifies how the values of a parameter are written in JSON.</summary>
internal enum ArgumentKind
{
    Text,
    Boolean,
    Integer,
    Fraction,
    Choice,
}
