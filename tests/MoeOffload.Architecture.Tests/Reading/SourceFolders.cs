using System.Reflection.Metadata;

namespace MoeOffload.Architecture.Tests.Reading;

/// <summary>Tells which folder of its project the source of a type lies in, from the documents that the PDB names.</summary>
/// <param name="metadata">The assembly's metadata.</param>
/// <param name="symbols">The metadata of its portable PDB.</param>
/// <param name="projectFolders">
/// The project's folder at the end of its path, such as <c>/src/MoeOffload/</c>, or one whose files it links, with the name its folder gets.
/// </param>
internal sealed class SourceFolders(MetadataReader metadata, MetadataReader symbols, IReadOnlyDictionary<string, string> projectFolders)
{
    // Says which documents a type without method bodies was declared in: an enumeration, an interface, a delegate.
    private static readonly Guid s_typeDefinitionDocuments = new("932E74BC-DBA9-4478-8D46-0F32A7BAB3D3");

    private readonly Dictionary<TypeDefinitionHandle, HashSet<string>> _folders = [];

    /// <summary>Gets the type that is not nested in another one: it, a class within it, a closure or a state machine count as one.</summary>
    public TypeDefinitionHandle Outermost(TypeDefinitionHandle type)
    {
        while (metadata.GetTypeDefinition(type).GetDeclaringType() is { IsNil: false } outer)
        {
            type = outer;
        }

        return type;
    }

    /// <summary>Gets the folder of a type, or null if all its source is generated while the project is compiled.</summary>
    /// <exception cref="InvalidOperationException">The parts of the type lie in several folders.</exception>
    public string? Of(TypeDefinitionHandle type)
    {
        if (_folders.Count == 0)
        {
            Read();
        }

        HashSet<string>? folders = _folders.GetValueOrDefault(Outermost(type));
        return folders?.Count > 1
            ? throw new InvalidOperationException($"{metadata.GetString(metadata.GetTypeDefinition(type).Name)} lies in {string.Join(" and ", folders)}.")
            : folders?.Single();
    }

    private void Read()
    {
        foreach (TypeDefinitionHandle type in metadata.TypeDefinitions)
        {
            foreach (MethodDefinitionHandle method in metadata.GetTypeDefinition(type).GetMethods())
            {
                MethodDebugInformation information = symbols.GetMethodDebugInformation(method.ToDebugInformationHandle());
                Add(type, information.Document);
                foreach (SequencePoint point in information.GetSequencePoints())
                {
                    Add(type, point.Document);
                }
            }

            foreach (CustomDebugInformationHandle handle in symbols.GetCustomDebugInformation(type))
            {
                CustomDebugInformation information = symbols.GetCustomDebugInformation(handle);
                if (symbols.GetGuid(information.Kind) == s_typeDefinitionDocuments)
                {
                    BlobReader documents = symbols.GetBlobReader(information.Value);
                    while (documents.RemainingBytes > 0)
                    {
                        Add(type, System.Reflection.Metadata.Ecma335.MetadataTokens.DocumentHandle(documents.ReadCompressedInteger()));
                    }
                }
            }
        }
    }

    private void Add(TypeDefinitionHandle type, DocumentHandle document)
    {
        if (!document.IsNil && FolderOf(symbols.GetString(symbols.GetDocument(document).Name).Replace('\\', '/')) is { } folder)
        {
            TypeDefinitionHandle outermost = Outermost(type);
            if (!_folders.TryGetValue(outermost, out HashSet<string>? folders))
            {
                _folders.Add(outermost, folders = []);
            }

            folders.Add(folder);
        }
    }

    private string? FolderOf(string path)
    {
        foreach ((string project, string name) in projectFolders)
        {
            int at = path.LastIndexOf(project, StringComparison.Ordinal);
            if (at >= 0 && !path.AsSpan(at).StartsWith(project + "obj/"))
            {
                string below = path[(at + project.Length)..];
                int slash = below.LastIndexOf('/');
                return string.Join('/', new[] { name, slash < 0 ? string.Empty : below[..slash] }.Where(part => part.Length > 0));
            }
        }

        return null;
    }
}
