export default defineEventHandler(async (event) => {
  const { link } = getQuery(event);
  const html = await $fetch<string>(link as string);
  return { title: html.match(/<title>(.*?)<\/title>/)?.[1] ?? '' };
});
