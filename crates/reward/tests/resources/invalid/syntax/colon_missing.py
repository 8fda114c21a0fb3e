num_stages = 1

def stage1_guidance(keypoints, action_sequence)
    return -action_sequence.mean()
