namespace MoeOffload.Inference.Preparation;

/// <summary>Represents the preparation of a request's input.</summary>
internal interface IPreparation
{
    /// <summary>Gets a value that indicates whether the result is still needed.</summary>
    bool IsWanted { get; }

    /// <summary>Determines, from the length of the input, whether the preparation is short enough for others to wait for it.</summary>
    bool IsShort();

    /// <summary>Prepares the input and passes it on, or passes on the exception. The method never throws.</summary>
    void Run();
}
