namespace MoeOffload;

/// <summary>Specifies what happens if a placement rule matches no tensor.</summary>
public enum UnmatchedRuleAction
{
    /// <summary>A warning is logged.</summary>
    Warn,

    /// <summary>Loading fails with a <see cref="PlacementException"/>.</summary>
    Error,
}
