namespace MoeOffload.Inference.Planning;

/// <summary>Represents a step that computes embeddings of an image, which cannot share a batch with tokens.</summary>
/// <param name="Request">The request.</param>
/// <param name="Image">The image.</param>
/// <param name="Begin">The index of the first embedding to compute, in the image.</param>
/// <param name="Count">The number of embeddings to compute.</param>
/// <param name="Position">The position at which the image begins.</param>
internal sealed record ImageStep(SequenceRequest Request, PlannedImage Image, int Begin, int Count, int Position);
