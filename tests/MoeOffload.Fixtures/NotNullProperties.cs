using System.Reflection;

namespace MoeOffload.Fixtures;

/// <summary>Finds the properties that a caller without nullable reference types can set to null, but must not.</summary>
public static class NotNullProperties
{
    /// <summary>Lists those of some types.</summary>
    public static IEnumerable<PropertyInfo> Of(IEnumerable<Type> types)
    {
        var nullability = new NullabilityInfoContext();
        return
            from type in types
            from property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            where property.SetMethod is { IsPublic: true } && !property.PropertyType.IsValueType
            where nullability.Create(property).WriteState == NullabilityState.NotNull
            select property;
    }
}
