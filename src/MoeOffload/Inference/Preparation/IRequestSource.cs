namespace MoeOffload.Inference.Preparation;

/// <summary>Represents a request as its caller gave it: what is known at once, and what must be prepared first.</summary>
internal interface IRequestSource
{
    /// <summary>Gets what is known at once: limits and priority. Its numbers are in their ranges.</summary>
    GenerationRequest Limits { get; }

    /// <summary>Returns how long the input is, in characters; what must be turned into a grammar counts more.</summary>
    long MeasureLength();

    /// <summary>Returns the whole request. Takes time that grows with the input.</summary>
    GenerationRequest Complete();
}
