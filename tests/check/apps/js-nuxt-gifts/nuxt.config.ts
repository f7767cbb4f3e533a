export default defineNuxtConfig({
  devtools: { enabled: process.env.NODE_ENV === 'development' },
  runtimeConfig: {
    mistralKey: '{{key:mistral}}',
    public: { siteName: 'Gift finder' },
  },
});
