namespace MoeOffload;

/// <summary>What to do about a placement rule that matches no tensor.</summary>
public enum UnmatchedRules
{
    /// <summary>Log a warning.</summary>
    Warn,

    /// <summary>Refuse the load with a <see cref="PlacementException"/>.</summary>
    Error,
}
