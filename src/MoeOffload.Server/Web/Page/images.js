// Images for models that read them.

// Models see no more than this, in pixels.
const longestSide = 1568;

/** Reads an image: it is turned upright, scaled down, and its metadata, such as the place where it was taken, is left out. */
export async function readImage(file) {
  let picture;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Error("the browser cannot read this image. Save it as PNG or JPEG.");
  }
  const scale = Math.min(1, longestSide / Math.max(picture.width, picture.height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale)));
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const type = file.type === "image/jpeg" ? "image/jpeg" : "image/png";
  const blob = await canvas.convertToBlob({ type, quality: 0.92 });
  return { kind: "image", name: file.name || "image", bytes: blob.size, type, data: await toBase64(blob) };
}

async function toBase64(blob) {
  const data = new Uint8Array(await blob.arrayBuffer());
  let binary = "";
  for (let at = 0; at < data.length; at += 0x8000) binary += String.fromCharCode(...data.subarray(at, at + 0x8000));
  return btoa(binary);
}
