"""Light on a material: reflection, lights, cameras and pictures of planes and spheres."""
