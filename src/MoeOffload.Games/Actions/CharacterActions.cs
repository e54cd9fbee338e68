using MoeOffload.Chat;
using MoeOffload.Games.Actions;

namespace MoeOffload.Games;

/// <summary>
/// Represents what characters can do: methods of the game with a name, a description and typed parameters. The model calls them, a grammar holds the
/// arguments to their types, and the game's thread runs them in <see cref="Character.Update"/> or <see cref="World.Update"/>. Several characters can share
/// an instance.
/// </summary>
/// <remarks>
/// Parameters can have the types <see cref="string"/>, <see cref="bool"/>, <see cref="int"/>, <see cref="long"/>, <see cref="short"/>, <see cref="byte"/>,
/// <see cref="float"/> and <see cref="double"/>, can be enumerations, and the nullable forms of these. The text that a method returns is what the model
/// reads as the result. No reflection over methods is used, so this works with code that is compiled ahead of time.
/// </remarks>
public sealed class CharacterActions
{
    private readonly Lock _gate = new();
    private ActionDefinition[] _actions = [];

    /// <summary>Gets the number of actions.</summary>
    public int Count => Actions.Length;

    /// <summary>Gets the names of the actions, in the order in which they were added.</summary>
    public IReadOnlyList<string> Names => [.. Actions.Select(action => action.Tool.Name)];

    private ActionDefinition[] Actions => Volatile.Read(ref _actions);

    /// <summary>Adds an action with no parameters.</summary>
    /// <param name="name">The name: up to 64 letters of the Latin alphabet, digits, hyphens and underscores.</param>
    /// <param name="description">The description, which the model reads.</param>
    /// <param name="action">A method that returns what the model reads as the result, or <see langword="null"/> for <see cref="CharacterTexts.Done"/>.</param>
    /// <exception cref="ArgumentException">The name is not valid, or there already is an action with this name.</exception>
    public void Add(string name, string description, Func<string?> action)
    {
        ArgumentNullException.ThrowIfNull(action);
        Add(new ActionDefinition(name, description, [], _ => action));
    }

    /// <summary>Adds an action with no parameters, and without a result.</summary>
    /// <param name="name">The name: up to 64 letters of the Latin alphabet, digits, hyphens and underscores.</param>
    /// <param name="description">The description, which the model reads.</param>
    /// <param name="action">A method without a result. The model reads <see cref="CharacterTexts.Done"/>.</param>
    /// <exception cref="ArgumentException">The name is not valid, or there already is an action with this name.</exception>
    public void Add(string name, string description, Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        Add(name, description, () =>
        {
            action();
            return (string?)null;
        });
    }

    /// <summary>Adds an action with one parameter.</summary>
    /// <param name="name">The name: up to 64 letters of the Latin alphabet, digits, hyphens and underscores.</param>
    /// <param name="description">The description, which the model reads.</param>
    /// <param name="action">A method that returns what the model reads as the result, or <see langword="null"/> for <see cref="CharacterTexts.Done"/>.</param>
    /// <param name="first">The first parameter.</param>
    /// <exception cref="ArgumentException">
    /// A name is not valid, or there already is an action with this name; or the type of a parameter is not supported.
    /// </exception>
    public void Add<T1>(string name, string description, Func<T1, string?> action, ActionParameter first)
    {
        ArgumentNullException.ThrowIfNull(action);
        var a1 = new ActionArgument<T1>(first);
        Add(new ActionDefinition(name, description, [a1], arguments =>
        {
            T1 v1 = a1.Read(arguments);
            return () => action(v1);
        }));
    }

    /// <summary>Adds an action with one parameter, and without a result.</summary>
    /// <param name="name">The name: up to 64 letters of the Latin alphabet, digits, hyphens and underscores.</param>
    /// <param name="description">The description, which the model reads.</param>
    /// <param name="action">A method without a result. The model reads <see cref="CharacterTexts.Done"/>.</param>
    /// <param name="first">The first parameter.</param>
    /// <exception cref="ArgumentException">
    /// A name is not valid, or there already is an action with this name; or the type of a parameter is not supported.
    /// </exception>
    public void Add<T1>(string name, string description, Action<T1> action, ActionParameter first)
    {
        ArgumentNullException.ThrowIfNull(action);
        Add(name, description, (T1 v1) =>
        {
            action(v1);
            return (string?)null;
        }, first);
    }

    /// <summary>Adds an action with two parameters.</summary>
    /// <param name="name">The name: up to 64 letters of the Latin alphabet, digits, hyphens and underscores.</param>
    /// <param name="description">The description, which the model reads.</param>
    /// <param name="action">A method that returns what the model reads as the result, or <see langword="null"/> for <see cref="CharacterTexts.Done"/>.</param>
    /// <param name="first">The first parameter.</param>
    /// <param name="second">The second parameter.</param>
    /// <exception cref="ArgumentException">
    /// A name is not valid, or there already is an action with this name; or the type of a parameter is not supported.
    /// </exception>
    public void Add<T1, T2>(string name, string description, Func<T1, T2, string?> action, ActionParameter first, ActionParameter second)
    {
        ArgumentNullException.ThrowIfNull(action);
        var a1 = new ActionArgument<T1>(first);
        var a2 = new ActionArgument<T2>(second);
        Add(new ActionDefinition(name, description, [a1, a2], arguments =>
        {
            (T1 v1, T2 v2) = (a1.Read(arguments), a2.Read(arguments));
            return () => action(v1, v2);
        }));
    }

    /// <summary>Adds an action with two parameters, and without a result.</summary>
    /// <param name="name">The name: up to 64 letters of the Latin alphabet, digits, hyphens and underscores.</param>
    /// <param name="description">The description, which the model reads.</param>
    /// <param name="action">A method without a result. The model reads <see cref="CharacterTexts.Done"/>.</param>
    /// <param name="first">The first parameter.</param>
    /// <param name="second">The second parameter.</param>
    /// <exception cref="ArgumentException">
    /// A name is not valid, or there already is an action with this name; or the type of a parameter is not supported.
    /// </exception>
    public void Add<T1, T2>(string name, string description, Action<T1, T2> action, ActionParameter first, ActionParameter second)
    {
        ArgumentNullException.ThrowIfNull(action);
        Add(name, description, (T1 v1, T2 v2) =>
        {
            action(v1, v2);
            return (string?)null;
        }, first, second);
    }

    /// <summary>Adds an action with three parameters.</summary>
    /// <param name="name">The name: up to 64 letters of the Latin alphabet, digits, hyphens and underscores.</param>
    /// <param name="description">The description, which the model reads.</param>
    /// <param name="action">A method that returns what the model reads as the result, or <see langword="null"/> for <see cref="CharacterTexts.Done"/>.</param>
    /// <param name="first">The first parameter.</param>
    /// <param name="second">The second parameter.</param>
    /// <param name="third">The third parameter.</param>
    /// <exception cref="ArgumentException">
    /// A name is not valid, or there already is an action with this name; or the type of a parameter is not supported.
    /// </exception>
    public void Add<T1, T2, T3>(string name, string description, Func<T1, T2, T3, string?> action, ActionParameter first, ActionParameter second, ActionParameter third)
    {
        ArgumentNullException.ThrowIfNull(action);
        var a1 = new ActionArgument<T1>(first);
        var a2 = new ActionArgument<T2>(second);
        var a3 = new ActionArgument<T3>(third);
        Add(new ActionDefinition(name, description, [a1, a2, a3], arguments =>
        {
            (T1 v1, T2 v2, T3 v3) = (a1.Read(arguments), a2.Read(arguments), a3.Read(arguments));
            return () => action(v1, v2, v3);
        }));
    }

    /// <summary>Adds an action with three parameters, and without a result.</summary>
    /// <param name="name">The name: up to 64 letters of the Latin alphabet, digits, hyphens and underscores.</param>
    /// <param name="description">The description, which the model reads.</param>
    /// <param name="action">A method without a result. The model reads <see cref="CharacterTexts.Done"/>.</param>
    /// <param name="first">The first parameter.</param>
    /// <param name="second">The second parameter.</param>
    /// <param name="third">The third parameter.</param>
    /// <exception cref="ArgumentException">
    /// A name is not valid, or there already is an action with this name; or the type of a parameter is not supported.
    /// </exception>
    public void Add<T1, T2, T3>(string name, string description, Action<T1, T2, T3> action, ActionParameter first, ActionParameter second, ActionParameter third)
    {
        ArgumentNullException.ThrowIfNull(action);
        Add(name, description, (T1 v1, T2 v2, T3 v3) =>
        {
            action(v1, v2, v3);
            return (string?)null;
        }, first, second, third);
    }

    /// <summary>Adds an action with four parameters.</summary>
    /// <param name="name">The name: up to 64 letters of the Latin alphabet, digits, hyphens and underscores.</param>
    /// <param name="description">The description, which the model reads.</param>
    /// <param name="action">A method that returns what the model reads as the result, or <see langword="null"/> for <see cref="CharacterTexts.Done"/>.</param>
    /// <param name="first">The first parameter.</param>
    /// <param name="second">The second parameter.</param>
    /// <param name="third">The third parameter.</param>
    /// <param name="fourth">The fourth parameter.</param>
    /// <exception cref="ArgumentException">
    /// A name is not valid, or there already is an action with this name; or the type of a parameter is not supported.
    /// </exception>
    public void Add<T1, T2, T3, T4>(string name, string description, Func<T1, T2, T3, T4, string?> action, ActionParameter first, ActionParameter second, ActionParameter third, ActionParameter fourth)
    {
        ArgumentNullException.ThrowIfNull(action);
        var a1 = new ActionArgument<T1>(first);
        var a2 = new ActionArgument<T2>(second);
        var a3 = new ActionArgument<T3>(third);
        var a4 = new ActionArgument<T4>(fourth);
        Add(new ActionDefinition(name, description, [a1, a2, a3, a4], arguments =>
        {
            (T1 v1, T2 v2, T3 v3, T4 v4) = (a1.Read(arguments), a2.Read(arguments), a3.Read(arguments), a4.Read(arguments));
            return () => action(v1, v2, v3, v4);
        }));
    }

    /// <summary>Adds an action with four parameters, and without a result.</summary>
    /// <param name="name">The name: up to 64 letters of the Latin alphabet, digits, hyphens and underscores.</param>
    /// <param name="description">The description, which the model reads.</param>
    /// <param name="action">A method without a result. The model reads <see cref="CharacterTexts.Done"/>.</param>
    /// <param name="first">The first parameter.</param>
    /// <param name="second">The second parameter.</param>
    /// <param name="third">The third parameter.</param>
    /// <param name="fourth">The fourth parameter.</param>
    /// <exception cref="ArgumentException">
    /// A name is not valid, or there already is an action with this name; or the type of a parameter is not supported.
    /// </exception>
    public void Add<T1, T2, T3, T4>(string name, string description, Action<T1, T2, T3, T4> action, ActionParameter first, ActionParameter second, ActionParameter third, ActionParameter fourth)
    {
        ArgumentNullException.ThrowIfNull(action);
        Add(name, description, (T1 v1, T2 v2, T3 v3, T4 v4) =>
        {
            action(v1, v2, v3, v4);
            return (string?)null;
        }, first, second, third, fourth);
    }

    /// <summary>Removes an action. A call that the model has already made is still carried out.</summary>
    /// <param name="name">The name.</param>
    /// <returns><see langword="true"/> if there was such an action; otherwise, <see langword="false"/>.</returns>
    public bool Remove(string name)
    {
        lock (_gate)
        {
            ActionDefinition[] rest = [.. _actions.Where(action => action.Tool.Name != name)];
            bool isRemoved = rest.Length < _actions.Length;
            Volatile.Write(ref _actions, rest);
            return isRemoved;
        }
    }

    /// <summary>Determines whether there is an action.</summary>
    /// <param name="name">The name.</param>
    public bool Contains(string name) => Find(name) is not null;

    /// <summary>Returns what the model reads of the actions.</summary>
    internal ToolDefinition[] ToTools() => [.. Actions.Select(action => action.Tool)];

    /// <summary>Prepares a call of the model for the game's thread.</summary>
    /// <exception cref="FormatException">The action does not exist, or its arguments are not valid. The message is for the model.</exception>
    internal ActionRequest Prepare(ToolCall call, CharacterTexts texts) =>
        new(Find(call.Name)?.Bind(call.Arguments) ?? throw new FormatException($"There is no action '{call.Name}'."), texts.Done, texts.Failed);

    private ActionDefinition? Find(string name) => Array.Find(Actions, action => action.Tool.Name == name);

    private void Add(ActionDefinition action)
    {
        lock (_gate)
        {
            if (Find(action.Tool.Name) is not null)
            {
                throw new ArgumentException($"There already is an action '{action.Tool.Name}'. Remove it first.", nameof(action));
            }

            Volatile.Write(ref _actions, [.. _actions, action]);
        }
    }
}
