import Script from 'next/script';

const analytics = `window.dataLayer = window.dataLayer || [];`;

export default function RootLayout({ children }: { children: React.ReactNode }) {
  return (
    <html lang="en">
      <body>
        {children}
        <Script id="analytics" dangerouslySetInnerHTML={{ __html: analytics }} />
      </body>
    </html>
  );
}
