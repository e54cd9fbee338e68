namespace MoeOffload.Inference.Planning;

/// <summary>Represents an image in a prompt or in a sequence.</summary>
/// <param name="Shape">Its place.</param>
/// <param name="IsCausal">
/// <see langword="false"/> if its embeddings attend to each other in both directions, so that one step computes all of them.
/// </param>
/// <param name="Input">Its embeddings, or null if it is in a sequence that no request uses.</param>
internal sealed record PlannedImage(ImageShape Shape, bool IsCausal, IImageInput? Input)
{
    /// <summary>Shortens a length that ends inside an image to one that ends before it, because images are computed and removed as a whole.</summary>
    public static int WholeLength(IReadOnlyList<PlannedImage> images, int length) =>
        FindAt(images, length) is { } image ? image.Shape.Begin : length;

    /// <summary>Finds the image that has an embedding before an index and one at it.</summary>
    public static PlannedImage? FindAround(IReadOnlyList<PlannedImage> images, int index) =>
        FindAt(images, index) is { } image && image.Shape.Begin < index ? image : null;

    /// <summary>Finds the image that has an embedding at an index.</summary>
    public static PlannedImage? FindAt(IReadOnlyList<PlannedImage> images, int index)
    {
        for (int i = 0; i < images.Count; i++)
        {
            if (images[i].Shape.Begin <= index && index < images[i].Shape.End)
            {
                return images[i];
            }
        }

        return null;
    }

    /// <summary>Converts the index of a token to its position.</summary>
    public static int PositionOf(IReadOnlyList<PlannedImage> images, int index)
    {
        int position = index;
        for (int i = 0; i < images.Count; i++)
        {
            ImageShape shape = images[i].Shape;
            if (shape.End <= index)
            {
                position -= shape.Length - shape.PositionCount;
            }
            else if (shape.Begin < index && shape.PositionCount < shape.Length)
            {
                position -= index - shape.Begin;
            }
        }

        return position;
    }
}
