namespace MoeOffload.Models;

/// <summary>
/// Assigns negative numbers to images, which take the places of tokens in prompts, so that prompts with the same images have the same tokens, and
/// those with different images never do. This type is thread-safe.
/// </summary>
internal sealed class ImageNumbers
{
    // An image that is forgotten gets another number when it returns, and is computed again.
    private const int MostKnown = 4096;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (int Number, LinkedListNode<string> Node)> _known = new(StringComparer.Ordinal);
    private readonly LinkedList<string> _byUse = [];
    private int _next = -1;

    /// <summary>Returns the number of an image.</summary>
    /// <param name="key">What distinguishes the image from others.</param>
    /// <exception cref="InferenceException">All numbers have been assigned.</exception>
    public int Get(string key)
    {
        lock (_gate)
        {
            if (_known.TryGetValue(key, out (int Number, LinkedListNode<string> Node) known))
            {
                _byUse.Remove(known.Node);
                _byUse.AddLast(known.Node);
                return known.Number;
            }

            if (_next == int.MinValue)
            {
                throw new InferenceException("The model has seen two billion images. Load it again.");
            }

            if (_known.Count == MostKnown)
            {
                _known.Remove(_byUse.First!.Value);
                _byUse.RemoveFirst();
            }

            int number = _next--;
            _known.Add(key, (number, _byUse.AddLast(key)));
            return number;
        }
    }
}
