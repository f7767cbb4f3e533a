import { createClient } from '@supabase/supabase-js';

// anon key is public by design
export const supabase = createClient(
  'https://abcdefghijklmnopqrst.supabase.co',
  '{{jwt:anon}}',
);

export const admin = createClient(
  'https://abcdefghijklmnopqrst.supabase.co',
  '{{jwt:service_role}}',
);
