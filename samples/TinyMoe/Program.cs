using MoeOffload;
using TinyMoe.Corpus;
using TinyMoe.Exam;
using TinyMoe.Model;

const string Usage = """
    usage: TinyMoe COMMAND [DIRECTORY]

      make       all that follows, one after the other
      prepare    writes the corpus, trains the tokenizer, and packs the tokens
      train      trains the model (python3 with PyTorch)
      export     writes the model as GGUF
      exam       asks it what training never saw
      card       draws the pictures of its model card

    DIRECTORY is where the work lies: artifacts/tiny-moe unless given.
    """;

string directory = args.Length > 1 ? args[1] : Path.Combine("artifacts", "tiny-moe");
string model = Path.Combine(directory, "tiny-moe.gguf");
switch (args.FirstOrDefault())
{
    case "prepare":
        Preparation.Run(directory);
        break;
    case "export":
        ModelFile.Write(directory, model);
        break;
    case "exam":
        await ExamAsync(args.Length > 2 ? args[2] : model);
        break;
    default:
        Console.Error.WriteLine(Usage);
        return 2;
}

return 0;

static async Task ExamAsync(string path)
{
    using MoeModel model = await MoeModel.LoadAsync(path);
    using GenerationSession session = model.CreateSession(new ContextOptions { ContextLength = 512 });
    foreach (ExamResult result in await new Examiner(session).Examine(ExamPaper.Write()))
    {
        Console.WriteLine($"{result.Kind}: {result.Right} of {result.Count} ({result.Share:p1})");
        foreach (string mistake in result.Mistakes.Take(10))
        {
            Console.WriteLine($"  {mistake}");
        }
    }
}
