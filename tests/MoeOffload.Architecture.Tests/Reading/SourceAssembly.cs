using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace MoeOffload.Architecture.Tests.Reading;

/// <summary>
/// A compiled assembly, and which of its types refer to which, as the compiler has understood the source: signatures, fields, base types,
/// attributes, and what method bodies name. Constants are not seen, since the compiler puts their values in the place of their names.
/// </summary>
internal sealed class SourceAssembly
{
    private readonly MetadataReader _metadata;
    private readonly PEReader _file;
    private readonly SourceFolders _folders;
    private readonly HashSet<TypeReference> _references = [];

    private SourceAssembly(PEReader file, MetadataReader metadata, SourceFolders folders)
    {
        _file = file;
        _metadata = metadata;
        _folders = folders;
    }

    /// <summary>Gets the references of each type to types of another folder.</summary>
    public IReadOnlyCollection<TypeReference> References => _references;

    /// <summary>Gets the names of the assemblies that it refers to.</summary>
    public required IReadOnlyList<string> ReferencedAssemblies { get; init; }

    /// <summary>Gets the folders that its types lie in.</summary>
    public required IReadOnlyList<string> Folders { get; init; }

    /// <summary>Gets the types that were written by hand and lie in no folder, which are none if the PDB fits.</summary>
    public required IReadOnlyList<string> TypesWithoutFolder { get; init; }

    /// <summary>Reads an assembly, and the portable PDB beside it.</summary>
    /// <param name="path">The assembly's file.</param>
    /// <param name="projectFolders">The ends of the paths of the folders that its source lies in, with the folder that each counts as.</param>
    public static SourceAssembly Read(string path, IReadOnlyDictionary<string, string> projectFolders)
    {
        using var file = new PEReader(new MemoryStream(File.ReadAllBytes(path)));
        using MetadataReaderProvider pdb = MetadataReaderProvider.FromPortablePdbStream(
            new MemoryStream(File.ReadAllBytes(Path.ChangeExtension(path, ".pdb"))), MetadataStreamOptions.PrefetchMetadata);
        MetadataReader metadata = file.GetMetadataReader();
        var folders = new SourceFolders(metadata, pdb.GetMetadataReader(), projectFolders);
        var assembly = new SourceAssembly(file, metadata, folders)
        {
            ReferencedAssemblies =
                [.. metadata.AssemblyReferences.Select(reference => metadata.GetString(metadata.GetAssemblyReference(reference).Name))],
            Folders = [.. metadata.TypeDefinitions.Select(folders.Of).OfType<string>().Distinct().Order(StringComparer.Ordinal)],
            TypesWithoutFolder =
                [.. metadata.TypeDefinitions
                    .Where(type => folders.Of(type) is null && !IsGenerated(metadata, folders.Outermost(type)))
                    .Select(type => metadata.GetString(metadata.GetTypeDefinition(type).Name))],
        };
        foreach (TypeDefinitionHandle type in metadata.TypeDefinitions)
        {
            assembly.Visit(type);
        }

        return assembly;
    }

    private void Visit(TypeDefinitionHandle handle)
    {
        if (_folders.Of(handle) is null)
        {
            return;
        }

        TypeDefinition type = _metadata.GetTypeDefinition(handle);
        Collect(handle, "(declaration)", found =>
        {
            AddNamed(found, type.BaseType);
            Attributes(found, type.GetCustomAttributes());
            Constraints(found, type.GetGenericParameters());
            foreach (InterfaceImplementationHandle implementation in type.GetInterfaceImplementations())
            {
                AddNamed(found, _metadata.GetInterfaceImplementation(implementation).Interface);
            }
        });
        foreach (FieldDefinitionHandle field in type.GetFields())
        {
            FieldDefinition definition = _metadata.GetFieldDefinition(field);
            Collect(handle, _metadata.GetString(definition.Name), found =>
            {
                definition.DecodeSignature(found, null);
                Attributes(found, definition.GetCustomAttributes());
            });
        }

        foreach (PropertyDefinitionHandle property in type.GetProperties())
        {
            PropertyDefinition definition = _metadata.GetPropertyDefinition(property);
            Collect(handle, _metadata.GetString(definition.Name), found => Attributes(found, definition.GetCustomAttributes()));
        }

        foreach (MethodDefinitionHandle method in type.GetMethods())
        {
            MethodDefinition definition = _metadata.GetMethodDefinition(method);
            Collect(handle, _metadata.GetString(definition.Name), found => Method(found, definition));
        }
    }

    private void Method(TypeCollector found, MethodDefinition method)
    {
        method.DecodeSignature(found, null);
        Attributes(found, method.GetCustomAttributes());
        Constraints(found, method.GetGenericParameters());
        foreach (ParameterHandle parameter in method.GetParameters())
        {
            Attributes(found, _metadata.GetParameter(parameter).GetCustomAttributes());
        }

        if (method.RelativeVirtualAddress == 0)
        {
            return;
        }

        MethodBodyBlock body = _file.GetMethodBody(method.RelativeVirtualAddress);
        AddNamed(found, body.LocalSignature);
        foreach (ExceptionRegion region in body.ExceptionRegions)
        {
            AddNamed(found, region.CatchType);
        }

        foreach (EntityHandle token in InstructionTokens.In(body.GetILReader()))
        {
            AddNamed(found, token);
        }
    }

    private void Constraints(TypeCollector found, GenericParameterHandleCollection parameters)
    {
        foreach (GenericParameterHandle parameter in parameters)
        {
            foreach (GenericParameterConstraintHandle constraint in _metadata.GetGenericParameter(parameter).GetConstraints())
            {
                AddNamed(found, _metadata.GetGenericParameterConstraint(constraint).Type);
            }
        }
    }

    private void Attributes(TypeCollector found, CustomAttributeHandleCollection attributes)
    {
        foreach (CustomAttributeHandle attribute in attributes)
        {
            AddNamed(found, _metadata.GetCustomAttribute(attribute).Constructor);
        }
    }

    // The types that a token names: those of the member that it stands for are named where they are used.
    private void AddNamed(TypeCollector found, EntityHandle token)
    {
        if (token.IsNil)
        {
            return;
        }

        switch (token.Kind)
        {
            case HandleKind.TypeDefinition:
                found.Add((TypeDefinitionHandle)token);
                break;
            case HandleKind.TypeSpecification:
                _metadata.GetTypeSpecification((TypeSpecificationHandle)token).DecodeSignature(found, null);
                break;
            case HandleKind.MethodDefinition:
                found.Add(_metadata.GetMethodDefinition((MethodDefinitionHandle)token).GetDeclaringType());
                break;
            case HandleKind.FieldDefinition:
                found.Add(_metadata.GetFieldDefinition((FieldDefinitionHandle)token).GetDeclaringType());
                break;
            case HandleKind.MemberReference:
                AddNamed(found, _metadata.GetMemberReference((MemberReferenceHandle)token).Parent);
                break;
            case HandleKind.MethodSpecification:
                MethodSpecification method = _metadata.GetMethodSpecification((MethodSpecificationHandle)token);
                AddNamed(found, method.Method);
                method.DecodeSignature(found, null);
                break;
            case HandleKind.StandaloneSignature:
                StandaloneSignature signature = _metadata.GetStandaloneSignature((StandaloneSignatureHandle)token);
                if (signature.GetKind() == StandaloneSignatureKind.LocalVariables)
                {
                    signature.DecodeLocalSignature(found, null);
                }
                else
                {
                    signature.DecodeMethodSignature(found, null);
                }

                break;
        }
    }

    private void Collect(TypeDefinitionHandle from, string member, Action<TypeCollector> visit)
    {
        var found = new TypeCollector();
        visit(found);
        string folder = _folders.Of(from)!;
        foreach (TypeDefinitionHandle to in found.Found)
        {
            if (_folders.Of(to) is { } target && target != folder)
            {
                _references.Add(new TypeReference(folder, NameOf(_folders.Outermost(from)), Written(from, member), target, NameOf(_folders.Outermost(to))));
            }
        }
    }

    // A closure or state machine bears the name of the method that it was made for, in angle brackets.
    private string Written(TypeDefinitionHandle type, string member)
    {
        foreach (string name in new[] { member, NameOf(type) })
        {
            int end = name.IndexOf('>', StringComparison.Ordinal);
            if (name.StartsWith('<') && end > 1)
            {
                return name[1..end];
            }
        }

        return member;
    }

    private static bool IsGenerated(MetadataReader metadata, TypeDefinitionHandle type) =>
        metadata.GetString(metadata.GetTypeDefinition(type).Name).StartsWith('<')
        || metadata.GetTypeDefinition(type).GetCustomAttributes().Any(attribute =>
            metadata.GetCustomAttribute(attribute).Constructor is { Kind: HandleKind.MemberReference } constructor
            && metadata.GetMemberReference((MemberReferenceHandle)constructor).Parent is { Kind: HandleKind.TypeReference } parent
            && metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)parent).Name)
                is "CompilerGeneratedAttribute" or "GeneratedCodeAttribute" or "EmbeddedAttribute");

    private string NameOf(TypeDefinitionHandle type) => _metadata.GetString(_metadata.GetTypeDefinition(type).Name);
}
