using MoeOffload;
using TinyMoe;
using TinyMoe.Corpus;
using TinyMoe.Exam;
using TinyMoe.Model;

const string Usage = """
    usage: TinyMoe COMMAND [DIRECTORY]

      make       makes the model from nothing: all that follows, one after the other
      prepare    writes the corpus, trains the tokenizer, and packs the tokens
      train      trains the model, with PyTorch
      export     writes it as GGUF
      exam       asks it what training never saw
      ship       puts it where the project has it, and writes its model card

    DIRECTORY is where the work lies: artifacts/tiny-moe unless given.
    """;

if (args is not [var command, ..])
{
    Console.Error.WriteLine(Usage);
    return 2;
}

var workspace = new Workspace(args.ElementAtOrDefault(1));
try
{
    string[] commands = command == "make" ? ["prepare", "train", "export", "exam", "ship"] : [command];
    foreach (string step in commands)
    {
        switch (step)
        {
            case "prepare":
                Preparation.Run(workspace.Directory);
                break;
            case "train":
                Python.Run("train.py", "numpy,torch", workspace.Directory);
                break;
            case "export":
                ModelFile.Write(workspace.Directory, workspace.Model);
                break;
            case "exam":
                await ExamAsync(workspace.Model);
                break;
            case "ship":
                File.Copy(workspace.Model, workspace.ShippedModel, overwrite: true);
                await ModelCard.WriteAsync(workspace);
                break;
            default:
                Console.Error.WriteLine($"error: unknown command {step}{Environment.NewLine}{Usage}");
                return 2;
        }
    }

    return 0;
}
catch (Exception exception) when (exception is IOException or InvalidOperationException or MoeOffloadException)
{
    Console.Error.WriteLine($"error: {exception.Message}");
    return 1;
}

static async Task ExamAsync(string path)
{
    using MoeModel model = await MoeModel.LoadAsync(path);
    using GenerationSession session = model.CreateSession(new ContextOptions { ContextLength = 512 });
    foreach (ExamResult result in await new Examiner(session).Examine(ExamPaper.Write()))
    {
        Console.WriteLine($"{result.Kind}: {result.Right} of {result.Count} right ({100 * result.Share:0.0} %)");
        foreach (string mistake in result.Mistakes.Take(10))
        {
            Console.WriteLine($"  {mistake}");
        }
    }
}
