using System.Reflection;
using System.Runtime.InteropServices;
using FluentAssertions;
using MoeOffload.Native.Generated;
using NUnit.Framework;

namespace MoeOffload.Bindings.Tests;

[TestFixture]
internal sealed class SignatureTests
{
    private static readonly HashSet<Type> s_blittablePrimitives =
    [
        typeof(void), typeof(byte), typeof(sbyte), typeof(short), typeof(ushort), typeof(int), typeof(uint), typeof(long),
        typeof(ulong), typeof(nint), typeof(nuint), typeof(float), typeof(double), typeof(CLong), typeof(CULong),
    ];

    [Test]
    public void Signatures_are_blittable_throughout()
    {
        IEnumerable<string> others = GeneratedTypes.Functions
            .Where(f => !f.GetParameters().Select(p => p.ParameterType).Append(f.ReturnType).All(IsBlittable))
            .Select(f => f.Name);

        others.Should().BeEmpty();
    }

    [Test]
    public void Fields_of_structs_are_blittable_throughout()
    {
        IEnumerable<string> others = GeneratedTypes.All
            .Where(t => t.IsValueType && !t.IsEnum)
            .SelectMany(t => t.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            .Where(f => !IsBlittable(f.FieldType))
            .Select(f => $"{f.DeclaringType!.Name}.{f.Name}");

        others.Should().BeEmpty();
    }

    [Test]
    public void Signatures_name_their_function_and_leave_nothing_to_the_marshaller()
    {
        GeneratedTypes.Functions.Should().HaveCountGreaterThan(500);
        foreach (MethodInfo function in GeneratedTypes.Functions)
        {
            DllImportAttribute import = function.GetCustomAttribute<DllImportAttribute>()!;
            import.EntryPoint.Should().Be(function.Name);
            import.ExactSpelling.Should().BeTrue(function.Name);
            import.SetLastError.Should().BeFalse(function.Name);
            import.CallingConvention.Should().Be(CallingConvention.Cdecl, function.Name);
        }
    }

    [Test]
    public void Functions_are_imported_from_the_library_that_exports_them()
    {
        LibraryOf(nameof(LlamaApi.llama_decode)).Should().Be("moe-llama");
        LibraryOf(nameof(GgmlApi.ggml_nbytes)).Should().Be("moe-ggml-base");
        LibraryOf(nameof(GgmlBackendApi.ggml_backend_dev_name)).Should().Be("moe-ggml-base");
        LibraryOf(nameof(GgmlBackendApi.ggml_backend_dev_count)).Should().Be("moe-ggml");
        LibraryOf(nameof(GgufApi.gguf_init_from_file)).Should().Be("moe-ggml-base");
        LibraryOf(nameof(ShimApi.moe_shim_version)).Should().Be("moe-shim");
    }

    [Test]
    public void Deprecations_carry_the_headers_message()
        => Function("llama_free_model").GetCustomAttribute<ObsoleteAttribute>()!.Message.Should().Be("use llama_model_free instead");

    private static bool IsBlittable(Type type)
        => type.IsPointer || type.IsFunctionPointer || type.IsEnum || s_blittablePrimitives.Contains(type)
            || type.IsValueType && !type.IsPrimitive
                && type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).All(f => IsBlittable(f.FieldType));

    private static MethodInfo Function(string name) => GeneratedTypes.Functions.Single(f => f.Name == name);

    private static string LibraryOf(string function) => Function(function).GetCustomAttribute<DllImportAttribute>()!.Value;
}
