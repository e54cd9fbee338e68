using System.Runtime.InteropServices;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Represents a decoded image.</summary>
internal sealed unsafe class ImageHandle : SafeHandle
{
    private ImageHandle(moe_image* image)
        : base(default, ownsHandle: true) => SetHandle((nint)image);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == default;

    /// <summary>Gets the image, which is valid as long as the caller holds a reference to this handle.</summary>
    public moe_image* Pointer => (moe_image*)handle;

    /// <summary>Decodes an image.</summary>
    /// <param name="data">The bytes of the file.</param>
    /// <param name="maxPixels">The maximum number of pixels.</param>
    /// <param name="reason">Receives the reason that the image cannot be decoded, or <see langword="null"/>.</param>
    /// <returns>The image, or <see langword="null"/> if it is damaged, too large, or of an unsupported format.</returns>
    /// <exception cref="InferenceException">There is not enough memory.</exception>
    public static ImageHandle? Decode(ReadOnlySpan<byte> data, long maxPixels, out string? reason)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        moe_image* image;
        moe_status status;
        byte none = 0;
        fixed (byte* bytes = data)
        {
            status = ShimApi.moe_image_decode(bytes == null ? &none : bytes, (nuint)data.Length, maxPixels, &image, error, NativeError.BufferSize);
        }

        if (status == moe_status.MOE_STATUS_OUT_OF_MEMORY)
        {
            throw new InferenceException("There is not enough memory to decode an image. Make it smaller, or send fewer images at a time.");
        }

        if (status != moe_status.MOE_STATUS_OK)
        {
            reason = NativeError.Reason(status, error);
            return null;
        }

        reason = null;
        return new ImageHandle(image);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        ShimApi.moe_image_free((moe_image*)handle, null, 0);
        return true;
    }
}
