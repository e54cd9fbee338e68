namespace MoeOffload;

/// <summary>Specifies how weights are read from the file into memory.</summary>
public enum LoadMode
{
    /// <summary>
    /// The fastest mode for offloaded experts. This is <see cref="None"/> if a placement rule keeps experts in system memory while a GPU
    /// holds layers: the weights are then in pinned memory, from which a GPU reads about twice as fast. Otherwise, it is <see cref="Mmap"/>,
    /// which shares the file's pages between processes and starts sooner.
    /// </summary>
    Auto,

    /// <summary>The file is mapped into memory. The system can drop its pages and read them again.</summary>
    Mmap,

    /// <summary>The weights are read into memory that is never swapped.</summary>
    Mlock,

    /// <summary>The file is mapped into memory, and its pages are never dropped.</summary>
    MmapMlock,

    /// <summary>The weights are read without the system's file cache, if the file system supports this.</summary>
    DirectIo,

    /// <summary>The weights are read into ordinary memory, which is pinned if a GPU uses it.</summary>
    None,
}
