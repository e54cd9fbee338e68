namespace AOT;

/// <summary>Marks a method that native code calls. Unity's IL2CPP finds the attribute by its name.</summary>
/// <param name="type">The type of the delegate.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MonoPInvokeCallbackAttribute(Type type) : Attribute
{
    public Type Type { get; } = type;
}
