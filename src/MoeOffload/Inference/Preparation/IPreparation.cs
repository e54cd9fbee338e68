namespace MoeOffload.Inference.Preparation;

/// <summary>Represents what must be done with the input of a request before anything of it can be computed.</summary>
internal interface IPreparation
{
    /// <summary>Gets whether somebody still waits for it.</summary>
    bool IsWanted { get; }

    /// <summary>Reads the lengths of the input, and returns whether it is prepared so soon that others can wait for it.</summary>
    bool IsShort();

    /// <summary>Prepares the input and hands it on. Errors are handed on as well: it never throws.</summary>
    void Run();
}
