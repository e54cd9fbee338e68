using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Placement;

[TestFixture]
public sealed class TensorGroupTests
{
    [TestCase("token_embd.weight", null, TensorGroup.Embedding)]
    [TestCase("position_embd.weight", null, TensorGroup.Embedding)]
    [TestCase("per_layer_token_embd.weight", null, TensorGroup.Embedding)]
    [TestCase("output.weight", null, TensorGroup.Output)]
    [TestCase("output_norm.weight", null, TensorGroup.Output)]
    [TestCase("rope_freqs.weight", null, TensorGroup.Other)]
    [TestCase("blk.0.attn_q.weight", 0, TensorGroup.Attention)]
    [TestCase("blk.12.attn_sinks.weight", 12, TensorGroup.Attention)]
    [TestCase("blk.3.ssm_conv1d.weight", 3, TensorGroup.Attention)]
    [TestCase("blk.3.time_mix_key.weight", 3, TensorGroup.Attention)]
    [TestCase("blk.7.attn_norm.weight", 7, TensorGroup.Norm)]
    [TestCase("blk.7.attn_q_norm.weight", 7, TensorGroup.Norm)]
    [TestCase("blk.7.post_attention_norm.weight", 7, TensorGroup.Norm)]
    [TestCase("blk.7.ffn_norm.weight", 7, TensorGroup.Norm)]
    [TestCase("blk.7.ffn_gate_inp.weight", 7, TensorGroup.Router)]
    [TestCase("blk.7.exp_probs_b.bias", 7, TensorGroup.Router)]
    [TestCase("blk.7.ffn_gate_inp_shexp.weight", 7, TensorGroup.SharedExperts)]
    [TestCase("blk.7.ffn_up_shexp.weight", 7, TensorGroup.SharedExperts)]
    [TestCase("blk.511.ffn_up_exps.weight", 511, TensorGroup.Experts)]
    [TestCase("blk.7.ffn_gate_up_exps.bias", 7, TensorGroup.Experts)]
    [TestCase("blk.7.ffn_down_chexps.weight", 7, TensorGroup.Experts)]
    [TestCase("blk.0.ffn_up.weight", 0, TensorGroup.FeedForward)]
    [TestCase("blk.0.nextn.eh_proj.weight", 0, TensorGroup.Other)]
    [TestCase("blk.x.attn_q.weight", null, TensorGroup.Other)]
    [TestCase("blk.", null, TensorGroup.Other)]
    [TestCase("", null, TensorGroup.Other)]
    public void Tensor_is_grouped_by_its_name(string name, int? layer, TensorGroup group)
    {
        var tensor = new TensorLocation(name, default, 0, "CPU", "CPU", true, null);

        tensor.Layer.Should().Be(layer);
        tensor.Group.Should().Be(group);
    }

    [Test]
    public void Every_tensor_of_a_model_with_experts_has_a_group()
    {
        using MoeModel model = MoeModel.Load(DemoModel.Path);

        model.Placement.Tensors.Should().OnlyContain(tensor => tensor.Group != TensorGroup.Other);
        model.Placement.Tensors.Where(tensor => tensor.Group == TensorGroup.Experts).Should().OnlyContain(tensor => tensor.IsExpert)
            .And.HaveCount(model.Placement.ExpertTensorCount);
        model.Placement.Tensors.Where(tensor => tensor.Group == TensorGroup.Router).Select(tensor => tensor.Layer)
            .Should().BeEquivalentTo(Enumerable.Range(0, model.Info.LayerCount));
    }
}
