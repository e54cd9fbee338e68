using FluentAssertions;
using MoeOffload.Chat;
using NUnit.Framework;

namespace MoeOffload.Extensions.AI.Tests;

/// <summary>The conversations that a client keeps.</summary>
[TestFixture]
public sealed class ConversationStoreTests
{
    [Test]
    public void Those_that_were_used_least_recently_are_forgotten()
    {
        var store = new ConversationStore(2);
        store.Keep("a", [ChatMessage.User("a")]);
        store.Keep("b", [ChatMessage.User("b")]);
        store.Find("a").Should().ContainSingle().Which.Content.Should().Be("a");
        store.Keep("c", [ChatMessage.User("c")]);
        store.Find("b").Should().BeNull();
        store.Find("a").Should().NotBeNull();
        store.Find("c").Should().NotBeNull();
    }
}
