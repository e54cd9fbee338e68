namespace MoeOffload;

/// <summary>How weights get from the file into memory.</summary>
public enum LoadMode
{
    /// <summary>
    /// The fastest for offloaded experts: <see cref="None"/> where a placement rule keeps tensors in system memory beside a GPU, so that
    /// they lie in pinned memory, from which a GPU reads prompts' weights about twice as fast; else <see cref="Mmap"/>, which shares the
    /// file's pages between processes and starts sooner.
    /// </summary>
    Auto,

    /// <summary>The file is mapped; the system may drop its pages and read them again.</summary>
    Mmap,

    /// <summary>Weights are read into memory that is never swapped.</summary>
    Mlock,

    /// <summary>The file is mapped, and its pages are never dropped.</summary>
    MmapMlock,

    /// <summary>Weights are read past the system's file cache, where the file system can.</summary>
    DirectIo,

    /// <summary>Weights are read into ordinary memory, pinned where a GPU wants it.</summary>
    None,
}
