namespace MoeOffload.Inference.Preparation;

/// <summary>Represents a request before its preparation.</summary>
internal interface IRequestSource
{
    /// <summary>Gets the limits and the priority, which are available before the preparation and already validated.</summary>
    GenerationRequest Limits { get; }

    /// <summary>Returns the length of the input, in characters. Text from which a grammar is built counts more.</summary>
    long MeasureLength();

    /// <summary>Returns the complete request. The time this takes grows with the input.</summary>
    GenerationRequest Complete();
}
