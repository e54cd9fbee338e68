namespace System;

/// <summary>Stands for the struct of .NET 6, so that a type can be compared with it. No value has this type.</summary>
internal readonly struct TimeOnly;
