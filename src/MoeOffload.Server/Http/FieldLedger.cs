using System.Text.Json;

namespace MoeOffload.Server.Http;

/// <summary>Records which fields of a body were read, at every depth, and which were accepted although they have no effect.</summary>
internal sealed class FieldLedger
{
    private const int LongestName = 64;

    private readonly Dictionary<string, ReadObject> _objects = new(StringComparer.Ordinal);
    private readonly List<string> _ignored = [];

    /// <summary>Gets the paths of the fields that were accepted although they have no effect.</summary>
    public IReadOnlyList<string> Ignored => _ignored;

    /// <summary>Adds an object of the body. An object that is read twice has one set of known fields.</summary>
    /// <returns>The names of the fields that were read.</returns>
    public HashSet<string> Add(string path, JsonElement element)
    {
        if (!_objects.TryGetValue(path, out ReadObject? known))
        {
            _objects.Add(path, known = new ReadObject(element));
        }

        return known.Fields;
    }

    /// <summary>Records that an object is used as it is, so that all its fields have an effect.</summary>
    public void UseWhole(string path) => _objects[path].IsWhole = true;

    /// <summary>Records that a field was accepted although it has no effect.</summary>
    public void Ignore(string path) => _ignored.Add(path);

    /// <summary>Returns the paths of the fields that were not read, in the order of the body.</summary>
    public IEnumerable<string> Unread()
    {
        string[] whole = [.. _objects.Where(item => item.Value.IsWhole).Select(item => item.Key)];
        foreach ((string path, ReadObject read) in _objects.Where(item => !Array.Exists(whole, owner => IsWithin(item.Key, owner))))
        {
            foreach (JsonProperty field in read.Element.EnumerateObject())
            {
                if (!read.Fields.Contains(field.Name))
                {
                    string name = ShortText.Of(field.Name, LongestName);
                    yield return path.Length == 0 ? name : $"{path}.{name}";
                }
            }
        }
    }

    private static bool IsWithin(string path, string owner) =>
        path.StartsWith(owner, StringComparison.Ordinal) && (path.Length == owner.Length || owner.Length == 0 || path[owner.Length] is '.' or '[');

    private sealed class ReadObject(JsonElement element)
    {
        public JsonElement Element => element;

        public HashSet<string> Fields { get; } = new(StringComparer.Ordinal);

        public bool IsWhole { get; set; }
    }
}
