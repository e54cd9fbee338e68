using MoeOffload.Games.Actions;

namespace MoeOffload.Games;

/// <summary>Describes a parameter of an action. A name alone converts to it: <c>"door"</c>.</summary>
public sealed record ActionParameter
{
    /// <summary>Initializes a new instance of the <see cref="ActionParameter"/> class.</summary>
    /// <param name="name">The name: up to 64 letters of the Latin alphabet, digits, hyphens and underscores.</param>
    /// <param name="description">The description, which the model reads.</param>
    /// <exception cref="ArgumentException">The name is not valid.</exception>
    public ActionParameter(string name, string description = "")
    {
        ArgumentNullException.ThrowIfNull(description);
        ActionName.Check(name, nameof(name));
        Name = name;
        Description = description;
    }

    /// <summary>Gets the name.</summary>
    public string Name { get; }

    /// <summary>Gets the description, which the model reads.</summary>
    public string Description { get; }

    /// <summary>
    /// Gets or sets the texts that a parameter of type <see cref="string"/> can have, or an empty list if it can have any. The model is forced to
    /// select one of them. The default is an empty list.
    /// </summary>
    public IReadOnlyList<string> Choices
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Choices));
    } = [];

    /// <summary>Gets or sets the smallest value of a number, or <see langword="null"/> for that of its type. The default is <see langword="null"/>.</summary>
    public double? Minimum { get; init; }

    /// <summary>Gets or sets the largest value of a number, or <see langword="null"/> for that of its type. The default is <see langword="null"/>.</summary>
    public double? Maximum { get; init; }

    /// <summary>
    /// Gets or sets a value that indicates whether a parameter of type <see cref="string"/> can be left out, and is <see langword="null"/> then.
    /// Parameters of nullable types, such as <c>int?</c>, can always be left out. The default is <see langword="false"/>.
    /// </summary>
    public bool IsOptional { get; init; }

    /// <summary>Creates a parameter that has only a name.</summary>
    /// <param name="name">The name.</param>
    /// <exception cref="ArgumentException">The name is not valid.</exception>
    public static implicit operator ActionParameter(string name) => FromString(name);

    /// <summary>Creates a parameter that has only a name.</summary>
    /// <param name="name">The name.</param>
    /// <exception cref="ArgumentException">The name is not valid.</exception>
    public static ActionParameter FromString(string name) => new(name);
}
