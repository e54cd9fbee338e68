using MoeOffload.Fixtures;

if (args is not [string path])
{
    Console.Error.WriteLine("usage: MoeOffload.Fixtures PATH.gguf    writes a small gpt-oss with random weights");
    return 2;
}

if (!File.Exists(path))
{
    Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    string partial = path + ".partial";
    File.Copy(TinyModels.GptOss().Path, partial, overwrite: true);
    File.Move(partial, path);
}

return 0;
