//! Secret rotation over two replicas that are rolled one by one: append, roll, move first, roll, remove, roll. At each
//! mixed stage whatever one replica opened the other goes on with.
