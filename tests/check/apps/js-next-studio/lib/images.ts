export async function listImages(owner: string) {
  const response = await fetch(`https://images.studio.example/list?owner=${encodeURIComponent(owner)}`, {
    headers: { 'x-api-key': process.env.IMAGES_KEY! },
  });
  return response.json();
}
