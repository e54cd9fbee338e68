using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;

namespace MoeOffload.Inference.Schemas;

/// <summary>Creates schemas of .NET types, restricted to the values that the types can hold.</summary>
internal static class TypeSchema
{
    private static readonly JsonSchemaExporterOptions s_options = new()
    {
        TreatNullObliviousAsNonNullable = true,
        TransformSchemaNode = Narrow,
    };

    /// <summary>Creates the schema of a type.</summary>
    public static JsonNode Make(JsonTypeInfo type) => type.GetJsonSchemaAsNode(s_options);

    private static JsonNode Narrow(JsonSchemaExporterContext context, JsonNode schema)
    {
        if (schema is not JsonObject node)
        {
            return schema;
        }

        Type type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        WriteNumbersAsNumbers(node);
        if (!type.IsEnum && Bounds(type) is { } bounds)
        {
            node["minimum"] = bounds.Least;
            if (bounds.Most is { } most)
            {
                node["maximum"] = most;
            }
        }

        // Any text can be parsed as a Uri, and the schema's time has an offset, which TimeOnly does not support.
        if (type == typeof(Uri) || type == typeof(TimeOnly))
        {
            node.Remove("format");
        }

        if (type == typeof(TimeOnly))
        {
            node["pattern"] = "^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$";
        }

        return node;
    }

    // If numbers can also be read from strings, the exported schema allows both. Only numbers are kept.
    private static void WriteNumbersAsNumbers(JsonObject node)
    {
        if (node["type"] is JsonArray types
            && types.FirstOrDefault(type => (string?)type == "string") is { } text
            && types.Any(type => (string?)type is "integer" or "number"))
        {
            types.Remove(text);
            node.Remove("pattern");
        }
    }

    private static (long Least, long? Most)? Bounds(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.SByte => (sbyte.MinValue, sbyte.MaxValue),
        TypeCode.Byte => (byte.MinValue, byte.MaxValue),
        TypeCode.Int16 => (short.MinValue, short.MaxValue),
        TypeCode.UInt16 => (ushort.MinValue, ushort.MaxValue),
        TypeCode.Int32 => (int.MinValue, int.MaxValue),
        TypeCode.UInt32 => (uint.MinValue, uint.MaxValue),
        TypeCode.UInt64 => (0, null),
        _ => null,
    };
}
