"""Operations on closed meshes: united, cut, hollowed, grown, smoothed, and checked before they are printed."""
