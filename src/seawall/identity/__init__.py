"""Who a caller is: virtual keys."""
