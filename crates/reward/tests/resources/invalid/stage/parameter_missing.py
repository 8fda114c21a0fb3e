num_stages = 1

def stage1_guidance(action_sequence):
    return -action_sequence[..., 2].mean()
